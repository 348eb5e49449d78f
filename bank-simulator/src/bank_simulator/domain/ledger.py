"""Writing the books of one approved request, or of a dispute."""

from service_kit.db.rows import insert_rows
from sqlalchemy.orm import Session

from bank_simulator.domain.accounts import (
    cardholder_account,
    dispute_account,
    hold_account,
    merchant_account,
)
from bank_simulator.domain.postings import Postings
from bank_simulator.models import Account, Card, Dispute, Entry, NetworkRequest
from bank_simulator.values.vocabulary import AccountKind

Accounts = dict[AccountKind, Account]


def accounts_for(session: Session, moved: Postings, card: Card, merchant_id: str, currency: str) -> Accounts:
    """Return the accounts of ``moved``; the cardholder's comes first, because it may be locked."""
    accounts: Accounts = {}
    if AccountKind.CARDHOLDER in moved:
        accounts[AccountKind.CARDHOLDER] = cardholder_account(session, card, currency)
    if AccountKind.HOLD in moved:
        accounts[AccountKind.HOLD] = hold_account(session, card, currency)
    if AccountKind.MERCHANT in moved:
        accounts[AccountKind.MERCHANT] = merchant_account(session, merchant_id, currency)
    if AccountKind.DISPUTE in moved:
        accounts[AccountKind.DISPUTE] = dispute_account(session, merchant_id, currency)
    return accounts


def post(session: Session, request: NetworkRequest, moved: Postings, accounts: Accounts) -> None:
    """Store ``request`` with its entries, and bring the cardholder's kept balance up to date."""
    session.add(request)
    # The unique request_id is checked here, and the entries need the row's id.
    session.flush()
    _write(session, moved, accounts, {"request_row_id": request.id})


def post_dispute(session: Session, dispute: Dispute, moved: Postings, accounts: Accounts) -> None:
    """Store ``dispute`` with the entries of its newest status."""
    session.add(dispute)
    session.flush()
    _write(session, moved, accounts, {"dispute_row_id": dispute.id})


def _write(session: Session, moved: Postings, accounts: Accounts, source: dict[str, int]) -> None:
    insert_rows(
        session,
        Entry,
        [{**source, "account_id": accounts[kind].id, "amount_minor": minor} for kind, minor in moved.items()],
    )
    cardholder = accounts.get(AccountKind.CARDHOLDER)
    if cardholder is not None and cardholder.balance_minor is not None:
        cardholder.balance_minor += moved[AccountKind.CARDHOLDER]
