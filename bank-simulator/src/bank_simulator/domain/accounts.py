"""Finding accounts, and opening them at first use."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from flask import current_app
from service_kit.db.rows import insert_rows
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.domain.new_rows import insert_new
from bank_simulator.extensions import db
from bank_simulator.models import Account, Entry
from bank_simulator.values.vocabulary import AccountKind, Bank

T = TypeVar("T")
# The member of the application's extensions that holds the accounts it knows.
KNOWN = "bank_known_accounts"
FIND = select(Account).where(
    Account.kind == bindparam("kind"),
    Account.owner == bindparam("owner"),
    Account.currency == bindparam("currency"),
)
# What this session read before the lock may be old.
FIND_AND_LOCK = FIND.with_for_update().execution_options(populate_existing=True)


@dataclass(frozen=True, slots=True)
class AccountKey:
    """Which account; ``opening_minor`` is its deposit, None where no balance is kept."""

    kind: AccountKind
    owner: str
    currency: str
    bank: Bank
    opening_minor: int | None = None


class AccountMissing(Exception):
    """The account has not been opened yet."""

    def __init__(self, key: AccountKey) -> None:
        super().__init__(f"{key.kind.value} account {key.owner} {key.currency}")
        self.key = key


def in_transaction_with_accounts(work: Callable[[Session], T]) -> T:
    """Run ``work`` in a transaction; whenever it misses an account, open that and run it again.

    Accounts open in transactions of their own: two that open the same one at once then cannot dead-lock with
    what else they do, and nobody waits for a whole payment (a savepoint would not survive such a deadlock).
    """
    while True:
        try:
            return db.in_transaction(work)
        except AccountMissing as missing:
            _open(missing.key)


def get_account(session: Session, key: AccountKey) -> Account:
    """Return the account, locked when it keeps a balance, which must hold still while it limits something.

    One that keeps none never changes, so it is read only once.

    Raises:
        AccountMissing: its first use is still to come.
    """
    if (account := _known().get(key)) is not None:
        return account
    query = FIND if key.opening_minor is None else FIND_AND_LOCK
    names = {"kind": key.kind, "owner": key.owner, "currency": key.currency}
    account = session.scalar(query, names)
    if account is None:
        raise AccountMissing(key)
    if key.opening_minor is None:
        # Free of this session, which may be rolled back.
        session.expunge(account)
        _known()[key] = account
    return account


def _open(key: AccountKey) -> None:
    """Open the account, with its deposit from the bank's funding account, unless somebody else just did."""
    funding = AccountKey(AccountKind.FUNDING, key.bank.value, key.currency, key.bank)

    def work(session: Session) -> Account:
        payer = get_account(session, funding) if key.opening_minor else None
        account = Account(
            kind=key.kind,
            owner=key.owner,
            currency=key.currency,
            bank=key.bank,
            balance_minor=key.opening_minor,
        )
        insert_new(session, account)
        if payer is not None and key.opening_minor:
            moved = {payer.id: -key.opening_minor, account.id: key.opening_minor}
            rows = [{"account_id": account_id, "amount_minor": minor} for account_id, minor in moved.items()]
            insert_rows(session, Entry, rows)
        return account

    with suppress(IntegrityError):
        account = in_transaction_with_accounts(work)
        if key.opening_minor is None:
            _known()[key] = account


def _known() -> dict[AccountKey, Account]:
    known: dict[AccountKey, Account] = current_app.extensions[KNOWN]
    return known
