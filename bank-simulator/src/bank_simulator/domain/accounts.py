"""Finding accounts, and opening them at first use."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.models import Account, Card, Entry
from bank_simulator.values.vocabulary import AccountKind, Bank


def cardholder_account(session: Session, card: Card, currency: str) -> Account:
    """Return the card's account, locked when it has a limit, because then the balance must hold still.

    It opens with the card's opening deposit, paid by the bank's funding account.
    """
    owner = str(card.id)
    lock = card.opening_minor is not None
    account = _find(session, AccountKind.CARDHOLDER, owner, currency, lock=lock)
    if account is not None:
        return account
    funding = _find_or_open(session, AccountKind.FUNDING, card.bank, currency, card.bank)
    account = Account(
        kind=AccountKind.CARDHOLDER,
        owner=owner,
        currency=currency,
        bank=card.bank,
        balance_minor=card.opening_minor,
    )
    try:
        with session.begin_nested():
            session.add(account)
            session.flush()
            if card.opening_minor:
                deposit = card.opening_minor
                session.add(Entry(account_id=funding.id, amount_minor=-deposit))
                session.add(Entry(account_id=account.id, amount_minor=deposit))
    except IntegrityError:
        return _opened_by_somebody_else(session, AccountKind.CARDHOLDER, owner, currency, lock=lock)
    return account


def hold_account(session: Session, card: Card, currency: str) -> Account:
    """Return the account on which the card's authorised money waits."""
    return _find_or_open(session, AccountKind.HOLD, str(card.id), currency, card.bank)


def merchant_account(session: Session, merchant_id: str, currency: str) -> Account:
    """Return the merchant's account at the merchant bank; it is never locked."""
    return _find_or_open(session, AccountKind.MERCHANT, merchant_id, currency, Bank.MERCHANT_BANK)


def _find_or_open(session: Session, kind: AccountKind, owner: str, currency: str, bank: Bank) -> Account:
    account = _find(session, kind, owner, currency)
    if account is not None:
        return account
    account = Account(kind=kind, owner=owner, currency=currency, bank=bank, balance_minor=None)
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError:
        return _opened_by_somebody_else(session, kind, owner, currency)
    return account


def _opened_by_somebody_else(
    session: Session, kind: AccountKind, owner: str, currency: str, *, lock: bool = False
) -> Account:
    account = _find(session, kind, owner, currency, lock=lock)
    if account is None:
        raise LookupError("An account can neither be opened nor found.")
    return account


def _find(
    session: Session, kind: AccountKind, owner: str, currency: str, *, lock: bool = False
) -> Account | None:
    query = select(Account).where(Account.kind == kind, Account.owner == owner, Account.currency == currency)
    if lock:
        # What this session read before the lock may be old.
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)
