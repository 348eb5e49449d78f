"""What a sale costs: it stands in the benchmark, and no row may become a queue for everybody."""

from collections.abc import Callable

import pytest
from bank_simulator.extensions import db
from bank_simulator.values.issued_cards import LAB_CARD
from flask import Flask
from sqlalchemy import event

from tests.testkit.bank import BankClient

LIMITED = "4000100000000026"


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


@pytest.mark.parametrize(("card", "at_most"), [(LAB_CARD, 6), (LIMITED, 7)])
def test_a_sale_takes_few_statements(own_app: Flask, own_bank: BankClient, card: str, at_most: int) -> None:
    own_bank.sell(card, 1)

    statements = statements_of(own_app, lambda: own_bank.sell(card, 1))

    assert 3 <= len(statements) <= at_most, statements


def test_a_sale_on_the_lab_card_locks_and_updates_no_account(own_app: Flask, own_bank: BankClient) -> None:
    own_bank.sell(LAB_CARD, 1)

    statements = statements_of(own_app, lambda: own_bank.sell(LAB_CARD, 1))

    assert not [statement for statement in statements if "FOR UPDATE" in statement]
    assert not [statement for statement in statements if statement.startswith("UPDATE")]
