"""Payments that were completed before there were captures and books get both, once, in spite of kills."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from payment_service.testing.config import make_config
from service_kit import migrations
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

# The last revision without sums, captures and books.
OF_BEFORE = "0015"
MANY = 2100
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)

PAYMENT = text(
    "INSERT INTO payments (id, public_id, merchant_id, surface, order_id, user_id, amount_minor, currency,"
    " status, receipt_locale, event_count, event_head, created_at, paid_at) VALUES (:id, :public_id,"
    " :merchant_id, 'lab', '1', '1', :amount_minor, :currency, :status, 'fr', 0, '', :created_at, :paid_at)"
)
ATTEMPT = text(
    "INSERT INTO payment_attempts (public_id, merchant_id, payment_id, kind, state, claimed_from, provider,"
    " amount_minor, currency, reversal_of, started_at, send_before, ask_count, ended_at) VALUES (:public_id,"
    " :merchant_id, :payment_id, :kind, :state, 'pending', 'bank-simulator', :amount_minor, :currency,"
    " :reversal_of, :started_at, :send_before, 0, :ended_at)"
)
MERCHANTS = text(
    "INSERT INTO merchants (id, public_id, name, legal_name, address, tax_number, locale, currency,"
    " created_at) VALUES (1, 'mer_lab', 'Store Manager', '', '', '', 'fr', 'MAD', '2026-11-20 10:00:00'),"
    " (2, 'mer_other', 'Librairie Atlas', '', '', '', 'en', 'EUR', '2026-11-20 11:00:00')"
)


def stored(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def payment(number: int, status: str, amount_minor: int, merchant_id: int = 1, currency: str = "MAD") -> Any:
    return {
        "id": number,
        "public_id": f"pay_{number}",
        "merchant_id": merchant_id,
        "amount_minor": amount_minor,
        "currency": currency,
        "status": status,
        "created_at": stored(AT),
        "paid_at": stored(AT + timedelta(seconds=number)) if status == "completed" else None,
    }


def attempt(of: Any, name: str, state: str = "approved", reversal_of: str | None = None) -> Any:
    return {
        "public_id": name,
        "merchant_id": of["merchant_id"],
        "payment_id": of["id"],
        "kind": "reversal" if reversal_of else "sale",
        "state": state,
        "amount_minor": of["amount_minor"],
        "currency": of["currency"],
        "reversal_of": reversal_of,
        "started_at": stored(AT),
        "send_before": stored(AT + timedelta(seconds=2)),
        "ended_at": None if state == "unknown" else of["paid_at"] or stored(AT),
    }


@pytest.fixture
def of_before(database_url: str) -> str:
    """A database of issue A with rows of every kind in it."""
    migrations.upgrade(database_url, make_config(database_url).migrations_dir, OF_BEFORE)
    paid, paid_twice = payment(3, "completed", 399998), payment(4, "completed", 500)
    elsewhere, declined = payment(5, "completed", 1250, 2, "EUR"), payment(6, "failed", 700)
    unknown, expired = payment(7, "processing", 800), payment(8, "expired", 900)
    attempts = [
        attempt(paid, "att_3declined", "declined"),
        attempt(paid, "att_3"),
        attempt(paid_twice, "att_4late"),
        attempt(paid_twice, "att_4"),
        attempt(paid_twice, "att_4late_reversal", "sending", "att_4late"),
        attempt(elsewhere, "att_5"),
        attempt(declined, "att_6", "declined"),
        attempt(unknown, "att_7", "unknown"),
        attempt(expired, "att_8"),
        attempt(expired, "att_8_reversal", "approved", "att_8"),
    ]
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        connection.execute(MERCHANTS)
        connection.execute(PAYMENT, [paid, paid_twice, elsewhere, declined, unknown, expired])
        connection.execute(ATTEMPT, attempts)
    return database_url


def rows(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_completed_payments_of_before_get_capture_sums_and_entries(of_before: str) -> None:
    migrations.upgrade(of_before, make_config(of_before).migrations_dir)

    assert rows(
        of_before,
        "SELECT payment_id, public_id, state, amount_minor, currency, provider, merchant_id, is_final"
        " FROM captures ORDER BY payment_id",
    ) == [
        (3, "cap_3", "approved", 399998, "MAD", "bank-simulator", 1, 1),
        (4, "cap_4", "approved", 500, "MAD", "bank-simulator", 1, 1),
        (5, "cap_5", "approved", 1250, "EUR", "bank-simulator", 2, 1),
    ]
    assert rows(
        of_before,
        "SELECT c.public_id, a.public_id FROM captures c JOIN payment_attempts a ON a.id = c.attempt_id"
        " JOIN payments p ON p.id = c.payment_id WHERE c.ended_at = p.paid_at ORDER BY c.id",
    ) == [("cap_3", "att_3"), ("cap_4", "att_4"), ("cap_5", "att_5")]
    assert rows(of_before, "SELECT id, authorized_minor, captured_minor FROM payments ORDER BY id") == [
        (3, 399998, 399998),
        (4, 500, 500),
        (5, 1250, 1250),
        (6, 0, 0),
        (7, 0, 0),
        (8, 0, 0),
    ]
    assert rows(
        of_before,
        "SELECT source, kind, account, amount_minor, currency, merchant_id, public_id FROM ledger_entries"
        " WHERE payment_id = 3 ORDER BY amount_minor DESC",
    ) == [
        ("cap_3", "captured", "provider_receivable", 399998, "MAD", 1, "ent_cap_3_captured_d"),
        ("cap_3", "captured", "merchant_payable", -399998, "MAD", 1, "ent_cap_3_captured_c"),
    ]
    assert rows(of_before, "SELECT COUNT(*), SUM(amount_minor) FROM ledger_entries") == [(6, 0)]


def test_it_is_finished_after_a_kill_at_any_statement(of_before: str) -> None:
    directory = make_config(of_before).migrations_dir
    many = [payment(number, "completed", number) for number in range(9, 9 + MANY)]
    with create_engine(of_before, poolclass=NullPool).begin() as connection:
        connection.execute(PAYMENT, many)
        connection.execute(ATTEMPT, [attempt(one, f"att_{one['id']}") for one in many])
    migrations.upgrade(of_before, directory, just_before(of_before))

    kills = 0
    while True:
        try:
            # Three batches of four statements: each run gets one further than the one before.
            with dying_after(kills):
                migrations.upgrade(of_before, directory)
            break
        except Killed:
            kills += 1

    assert kills == 3 * 4
    total = 399998 + 500 + sum(range(9, 9 + MANY))
    assert rows(of_before, "SELECT SUM(captured_minor) FROM payments WHERE merchant_id = 1") == [(total,)]
    assert rows(of_before, "SELECT COUNT(*) FROM captures") == [(MANY + 3,)]
    assert rows(
        of_before, "SELECT COUNT(*), SUM(amount_minor) FROM ledger_entries WHERE merchant_id = 1"
    ) == [(2 * (MANY + 2), 0)]


def test_doing_it_again_changes_nothing(of_before: str) -> None:
    directory = make_config(of_before).migrations_dir
    migrations.upgrade(of_before, directory)
    everything = "SELECT * FROM ledger_entries ORDER BY id"
    before = rows(of_before, everything)
    with create_engine(of_before, poolclass=NullPool).begin() as connection:
        stamp = text("UPDATE alembic_version SET version_num = :revision")
        connection.execute(stamp, {"revision": just_before(of_before)})

    migrations.upgrade(of_before, directory)

    assert rows(of_before, everything) == before


def just_before(database_url: str) -> str:
    """Return the revision before the one that is tested here."""
    directory = make_config(database_url).migrations_dir
    script = ScriptDirectory.from_config(migrations.alembic_config(database_url, directory))
    (tested,) = [one for one in script.walk_revisions() if one.path.endswith("_captures_of_before.py")]
    return str(tested.down_revision)


class Killed(BaseException):
    """The process dies here."""


@contextmanager
def dying_after(statements: int) -> Iterator[None]:
    """Die before the writing statement that follows so many."""
    count = 0

    def execute(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal count
        if statement.startswith(("INSERT INTO captures", "INSERT INTO ledger_entries", "UPDATE payments")):
            if count == statements:
                raise Killed
            count += 1

    event.listen(Engine, "before_cursor_execute", execute)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", execute)
