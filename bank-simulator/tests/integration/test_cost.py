"""What a sale costs: it stands in the benchmark, and no row may become a queue for everybody."""

import re
from collections.abc import Callable

import pytest
from bank_simulator.domain.accounts import KNOWN
from bank_simulator.extensions import db
from bank_simulator.values.issued_cards import LAB_CARD
from flask import Flask
from sqlalchemy import event

from tests.testkit.bank import BankClient

LIMITED = "4000100000000026"
UNUSED = "4000100000000018"
_STATEMENT = re.compile(r"(?=(SELECT|INSERT|UPDATE) )(?:SELECT .*? FROM|INSERT INTO|UPDATE) (\w+)")


def statements_of(app: Flask, action: Callable[[], object]) -> list[str]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        action()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return seen


def words(statements: list[str]) -> list[str]:
    """Name each statement by its first word and its table; the fault plan is looked for now and then."""
    found = [_STATEMENT.match(" ".join(statement.split())) for statement in statements]
    named = [f"{match[1]} {match[2]}" for match in found if match is not None]
    assert len(named) == len(statements), statements
    return [name for name in named if name != "SELECT fault_plans"]


_SALE = ["INSERT network_requests", "INSERT entries"]


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (LAB_CARD, ["SELECT cards", *_SALE]),
        (LIMITED, ["SELECT cards", "SELECT accounts", *_SALE, "UPDATE accounts"]),
    ],
)
def test_a_sale_takes_few_statements(
    own_app: Flask, own_bank: BankClient, card: str, expected: list[str]
) -> None:
    own_bank.sell(card, 1)

    statements = statements_of(own_app, lambda: own_bank.sell(card, 1))

    assert words(statements) == expected


def test_an_account_is_looked_for_once_in_a_process(own_app: Flask, own_bank: BankClient) -> None:
    own_bank.sell(LAB_CARD, 1)
    own_app.extensions[KNOWN].clear()

    first = statements_of(own_app, lambda: own_bank.sell(LAB_CARD, 1))
    second = statements_of(own_app, lambda: own_bank.sell(LAB_CARD, 1))

    assert words(first) == ["SELECT cards", "SELECT accounts", "SELECT accounts", *_SALE]
    assert words(second) == ["SELECT cards", *_SALE]


def test_an_account_that_was_just_opened_is_not_looked_for(own_app: Flask, own_bank: BankClient) -> None:
    own_bank.sell(LAB_CARD, 1)

    statements = statements_of(own_app, lambda: own_bank.sell(UNUSED, 1))

    opening = ["SELECT cards", "SELECT accounts", "INSERT accounts"]
    assert words(statements) == [*opening, "SELECT cards", *_SALE]


def test_a_sale_on_the_lab_card_locks_and_updates_no_account(own_app: Flask, own_bank: BankClient) -> None:
    own_bank.sell(LAB_CARD, 1)

    statements = statements_of(own_app, lambda: own_bank.sell(LAB_CARD, 1))

    assert not [statement for statement in statements if "FOR UPDATE" in statement]
    assert not [statement for statement in statements if statement.startswith("UPDATE")]
