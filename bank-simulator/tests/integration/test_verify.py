from collections.abc import Callable

import pytest
from bank_simulator.cli import main
from bank_simulator.extensions import db
from bank_simulator.models import Account, Entry, NetworkRequest
from bank_simulator.values.issued_cards import LAB_CARD
from bank_simulator.values.vocabulary import AccountKind, DeclineCode, Holding, RequestKind, Status
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.testkit.bank import BankClient

Tampering = Callable[[Session], object]


def verify(app: Flask) -> Result:
    with app.app_context():
        url = db.engine.url.render_as_string(hide_password=False)
    return CliRunner().invoke(main, ["verify"], env={"DATABASE_URL": url})


def do_business(bank: BankClient) -> None:
    bank.follow_up("refunds", bank.sell("4000100000000026", 1000, request_id="sale"), amount_minor=200)
    held = bank.authorize("4000100000000026", 500, request_id="held")
    bank.follow_up("captures", held, amount_minor=300, final=False)
    bank.follow_up("voids", bank.sell(LAB_CARD, 77, request_id="voided"))
    bank.follow_up("captures", bank.authorize(LAB_CARD, 50, currency="EUR"), amount_minor=20, final=True)
    bank.sell("4000100000000042", 5, request_id="declined")


def find(session: Session, request_id: str) -> NetworkRequest:
    return session.scalars(select(NetworkRequest).where(NetworkRequest.request_id == request_id)).one()


def change_entry(session: Session) -> None:
    sale = find(session, "sale")
    entry = session.scalars(select(Entry).where(Entry.request_row_id == sale.id)).first()
    assert entry is not None
    entry.amount_minor += 1


def delete_entries(session: Session) -> None:
    sale = find(session, "sale")
    for entry in session.scalars(select(Entry).where(Entry.request_row_id == sale.id)):
        session.delete(entry)


def divert_entry(session: Session) -> None:
    """Both sides still add up to zero, but the money went to the hold instead of the merchant."""
    hold = session.scalars(select(Account).where(Account.kind == AccountKind.HOLD)).first()
    assert hold is not None
    sale = find(session, "sale")
    query = select(Entry).where(Entry.request_row_id == sale.id, Entry.amount_minor > 0)
    session.scalars(query).one().account_id = hold.id


def change_amount(session: Session) -> None:
    find(session, "sale").amount_minor = 1


def approve_the_declined(session: Session) -> None:
    find(session, "declined").status = Status.APPROVED


def decline_the_approved(session: Session) -> None:
    sale = find(session, "sale")
    sale.status, sale.decline_code = Status.DECLINED, DeclineCode.DO_NOT_HONOR


def forget_a_refund(session: Session) -> None:
    find(session, "sale").refunded_minor = 0


def enlarge_the_hold(session: Session) -> None:
    find(session, "held").held_minor += 100


def revive_the_voided(session: Session) -> None:
    find(session, "voided").holding = Holding.CAPTURED


def change_balance(session: Session) -> None:
    query = select(Account).where(Account.balance_minor.is_not(None))
    account = session.scalars(query).one()
    account.balance_minor = (account.balance_minor or 0) + 5


def lift_the_limit(session: Session) -> None:
    session.scalars(select(Account).where(Account.balance_minor.is_not(None))).one().balance_minor = None


def change_deposit(session: Session) -> None:
    """On both sides, so that it still adds up, and the kept balance with it."""
    for entry in session.scalars(select(Entry).where(Entry.request_row_id.is_(None))):
        entry.amount_minor += 700 if entry.amount_minor > 0 else -700
    query = select(Account).where(Account.balance_minor.is_not(None))
    account = session.scalars(query).one()
    account.balance_minor = (account.balance_minor or 0) + 700


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (change_entry, "request sale: entries are"),
        (delete_entries, "request sale: entries are none"),
        (divert_entry, "request sale: entries are"),
        (change_amount, "request sale: entries are"),
        (approve_the_declined, "request declined: entries are none"),
        (decline_the_approved, "request sale: entries are"),
        (forget_a_refund, "request sale: (holding, held, captured, refunded) is (captured, 0, 1000, 0)"),
        (enlarge_the_hold, "request held: (holding, held, captured, refunded) is (held, 300, 300, 0)"),
        (revive_the_voided, "request voided: (holding, held, captured, refunded) is (captured, 0, 77, 0)"),
        (change_balance, "cardholder account"),
        (lift_the_limit, "the card's limit and the account's do not agree"),
        (change_deposit, "opened with 50700, not with 50000"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_verify_names_what_was_tampered_with(
    own_app: Flask, own_bank: BankClient, tamper: Tampering, named: str
) -> None:
    do_business(own_bank)
    before = verify(own_app)
    with own_app.app_context():
        db.in_transaction(tamper)

    after = verify(own_app)

    assert (before.exit_code, after.exit_code) == (0, 1)
    assert "the books add up" in before.output
    assert named in after.output


def test_every_kind_of_money_request_took_part(own_app: Flask, own_bank: BankClient) -> None:
    do_business(own_bank)

    with own_app.app_context(), db.reading() as session:
        kinds = set(session.scalars(select(NetworkRequest.kind)))
    assert kinds == set(RequestKind)
