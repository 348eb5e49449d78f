"""Writing the books of one approved request."""

from sqlalchemy import insert
from sqlalchemy.orm import Session

from bank_simulator.domain.accounts import cardholder_account, hold_account, merchant_account
from bank_simulator.domain.postings import Postings
from bank_simulator.models import Account, Card, Entry, NetworkRequest
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
    return accounts


def post(session: Session, request: NetworkRequest, moved: Postings, accounts: Accounts) -> None:
    """Store ``request`` with its entries, and bring the cardholder's kept balance up to date."""
    session.add(request)
    # The unique request_id is checked here, and the entries need the row's id.
    session.flush()
    session.execute(
        insert(Entry),
        [
            {"request_row_id": request.id, "account_id": accounts[kind].id, "amount_minor": minor}
            for kind, minor in moved.items()
        ],
    )
    cardholder = accounts.get(AccountKind.CARDHOLDER)
    if cardholder is not None and cardholder.balance_minor is not None:
        cardholder.balance_minor += moved[AccountKind.CARDHOLDER]
