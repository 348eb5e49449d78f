"""Reads a merchant's balance: its snapshots, and the entries after them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from payment_service.domain.books.snapshots import snapshot_head
from payment_service.extensions import db
from payment_service.models.ledger import BalanceSnapshot, LedgerEntry
from payment_service.values.statuses import LedgerAccount


@dataclass(frozen=True, slots=True)
class CurrencyBalance:
    """What is in a merchant's accounts of one currency, all providers together, in minor units.

    What the providers owe is what the merchant, the cardholders and the issuers are owed.
    """

    currency: str
    available_minor: int
    refunds_in_transit_minor: int
    disputes_minor: int
    provider_receivable_minor: int


@dataclass(frozen=True, slots=True)
class Balance:
    balances: Sequence[CurrencyBalance]


def get_balance(merchant_id: int) -> Balance:
    """Return what the books say now; a currency in which nothing was ever posted is left out."""
    with db.reading() as session:
        posted = _posted(session, merchant_id)
    currencies = sorted({currency for _, currency in posted})
    return Balance([_of_currency(posted, currency) for currency in currencies])


def _posted(session: Session, merchant_id: int) -> Mapping[tuple[LedgerAccount, str], int]:
    """Return the sum of everything posted, by account and currency.

    A turn of the snapshot job may commit between these statements. It moves all of the merchant's accounts
    that it touches to one id in one transaction, so the largest id read here bounds what was read.
    """
    head = snapshot_head(session)
    found: dict[tuple[LedgerAccount, str], int] = defaultdict(int)
    snapshots = session.execute(
        select(
            BalanceSnapshot.account,
            BalanceSnapshot.currency,
            BalanceSnapshot.amount_minor,
            BalanceSnapshot.up_to_id,
        ).where(BalanceSnapshot.merchant_id == merchant_id)
    )
    for account, currency, amount_minor, up_to_id in snapshots:
        found[account, currency] += amount_minor
        head = max(head, up_to_id)
    tail = session.execute(
        select(LedgerEntry.account, LedgerEntry.currency, func.sum(LedgerEntry.amount_minor))
        .where(LedgerEntry.merchant_id == merchant_id, LedgerEntry.id > head)
        .group_by(LedgerEntry.account, LedgerEntry.currency)
    )
    for account, currency, amount_minor in tail:
        found[account, currency] += int(amount_minor)
    return found


def _of_currency(posted: Mapping[tuple[LedgerAccount, str], int], currency: str) -> CurrencyBalance:
    def balance_minor(account: LedgerAccount) -> int:
        return account.balance_minor(posted.get((account, currency), 0))

    return CurrencyBalance(
        currency=currency,
        available_minor=balance_minor(LedgerAccount.MERCHANT_PAYABLE),
        refunds_in_transit_minor=balance_minor(LedgerAccount.REFUNDS_IN_TRANSIT),
        disputes_minor=balance_minor(LedgerAccount.DISPUTES),
        provider_receivable_minor=balance_minor(LedgerAccount.PROVIDER_RECEIVABLE),
    )
