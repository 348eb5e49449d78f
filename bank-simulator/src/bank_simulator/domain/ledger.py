"""Writing the books of one approved request, or of a dispute."""

from service_kit.db.rows import insert_rows
from sqlalchemy.orm import Session

from bank_simulator.domain.accounts import AccountKey, get_account
from bank_simulator.domain.idempotency import store
from bank_simulator.domain.postings import Postings
from bank_simulator.models import Account, Card, Dispute, Entry, NetworkRequest
from bank_simulator.values.vocabulary import AccountKind, Bank

Accounts = dict[AccountKind, Account]


def accounts_for(session: Session, moved: Postings, card: Card, merchant_id: str, currency: str) -> Accounts:
    """Return the accounts of ``moved``; the cardholder's comes first, because it may be locked."""
    keys = (
        AccountKey(AccountKind.CARDHOLDER, str(card.id), currency, card.bank, card.opening_minor),
        AccountKey(AccountKind.HOLD, str(card.id), currency, card.bank),
        AccountKey(AccountKind.MERCHANT, merchant_id, currency, Bank.MERCHANT_BANK),
        AccountKey(AccountKind.DISPUTE, merchant_id, currency, Bank.MERCHANT_BANK),
    )
    return {key.kind: get_account(session, key) for key in keys if key.kind in moved}


def post(session: Session, request: NetworkRequest, moved: Postings, accounts: Accounts) -> None:
    """Store ``request`` with its entries, and bring the cardholder's kept balance up to date."""
    # The unique request_id is checked here, and the entries need the row's id.
    store(session, request)
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
