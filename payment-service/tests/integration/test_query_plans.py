"""Every look-up and every list of the service uses an index, on every engine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, request, request_started
from payment_service.extensions import db
from payment_service.models.base import Base
from payment_service.models.merchant import Merchant
from service_kit.clock import utc_now
from service_kit.db import migrations
from sqlalchemy import text

from tests.testkit.payments.bulk.fill import fill
from tests.testkit.payments.config import make_config
from tests.testkit.payments.journeys.play import LISTS, leave_open, play_all
from tests.testkit.payments.journeys.stage import new_stage
from tests.testkit.payments.query_plans import Finding, Recorder, explain
from tests.testkit.payments.world import World, world_on

PAYMENTS = 2000
CURSORS = frozenset({"limit", "starting_after", "ending_before"})
# Routes that read no row of a table that grows.
WITHOUT_ROWS = frozenset(
    {
        "/",
        "/docs",
        "/docs/<path:name>",
        "/openapi.json",
        "/health/live",
        "/health/ready",
        "/.well-known/jwks.json",
        "/static/<path:filename>",
    }
)
# What may sort or look at more rows than it needs, and why; by what the statement says.
ALLOWED: Mapping[str, str] = {
    # A balance adds up the entries after the last snapshot, of which there are as many as came since then.
    "GROUP BY ledger_entries.account, ledger_entries.currency": "ledger_entries",
    # One payment has a few entries; they are sorted by time as in the other lists.
    "FROM ledger_entries WHERE ledger_entries.payment_id =": "ledger_entries",
    # MySQL takes another index of the merchant while these tables are as small as here (41 and 201 rows);
    # the one in the list's order is there, and MariaDB and SQLite take it.
    "FROM disputes WHERE disputes.merchant_id = %(merchant_id_1)s AND disputes.id <": "disputes",
    "payment_methods.merchant_id = %(merchant_id_1)s AND payment_methods.id <": "payment_methods",
    # What is processing is little, and the engine knows: it may as well sort it.
    "payments.status = %(status_1)s AND payments.created_at < %(created_at_1)s": "payments",
}


@dataclass
class Played:
    """What the journeys sent to a database with many payments in it, and which routes they asked for."""

    world: World
    statements: dict[str, tuple[str, Any]]
    rules: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def played(module_database_url: str) -> Iterator[Played]:
    config = make_config(module_database_url)
    migrations.upgrade(module_database_url, config.migrations_dir)
    with world_on(config) as world:
        stage = new_stage(world)
        (merchant,) = world.all(Merchant, public_id=stage.shop.merchant_id)
        key = world.dependencies.policy.event_key
        began = utc_now() - timedelta(hours=12)
        for first in range(0, PAYMENTS, 500):
            numbers = range(first, first + 500)
            world.change(lambda session: fill(session, key, merchant.id, numbers, began))  # noqa: B023
        with world.app.app_context():
            _analyse()
            engine = db.engine
        leave_open(world, stage)
        rules: set[str] = set()

        def note(_app: Flask, **_: Any) -> None:
            rules.add(str(request.url_rule))

        with request_started.connected_to(note, world.app), Recorder().listening(engine) as recorder:
            play_all(world, stage)
        yield Played(world, recorder.statements, rules)


def _analyse() -> None:
    """Let the engine know how many rows there are."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.connect() as connection:
        if is_sqlite:
            connection.execute(text("ANALYZE"))
        else:
            for table in Base.metadata.sorted_tables:
                connection.execute(text(f"ANALYZE TABLE {table.name}"))


def findings(played: Played) -> Sequence[Finding]:
    with played.world.app.app_context(), db.engine.connect() as connection:
        return [
            finding
            for statement, values in played.statements.values()
            for finding in explain(connection, statement, values)
            if not _is_allowed(finding)
        ]


def _is_allowed(finding: Finding) -> bool:
    statement = " ".join(finding.statement.split())
    return any(words in statement and table == finding.table for words, table in ALLOWED.items())


def test_no_statement_looks_at_every_row(played: Played) -> None:
    found = findings(played)

    assert len(played.statements) > 60
    assert [str(finding) for finding in found] == []


def test_the_journeys_ask_for_every_route(played: Played) -> None:
    rules = {str(rule) for rule in played.world.app.url_map.iter_rules()}

    assert rules - played.rules == WITHOUT_ROWS


def test_the_journeys_read_every_list_with_every_filter(played: Played) -> None:
    described = played.world.client.get("/openapi.json").json["paths"]
    queries = {
        path: {given["name"] for given in operations["get"].get("parameters", []) if given["in"] == "query"}
        for path, operations in described.items()
        if "get" in operations
    }

    lists = {path: names - CURSORS for path, names in queries.items() if names >= CURSORS}

    tried = {
        path.replace("{payment}", "{payment_id}"): {name for query in tries for name in query}
        for path, tries in LISTS.items()
    }
    assert tried == lists
