"""Listens to the statements that the service sends, and asks the engine how it looks rows up."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from payment_service.models.base import Base
from sqlalchemy import Connection, Engine, event

# Tables with a few rows, however long the service runs; all others grow.
SMALL_TABLES = frozenset({"merchants", "api_clients", "signing_keys", "balance_snapshots"})
GROWING_TABLES = frozenset(Base.metadata.tables) - SMALL_TABLES
# MySQL may prefer to sort what it holds for a few rows, such as the attempts of one payment.
FEW_ROWS = 20
_LOOKS_UP = re.compile(r"\s*(SELECT|UPDATE|DELETE)\b", re.IGNORECASE)
_LIST_OF_VALUES = re.compile(r"\bIN \([^()]*\)")
_SQLITE_STEP = re.compile(r"(SCAN|SEARCH) (\w+)(.*)")


@dataclass
class Recorder:
    """Keeps every different statement that reads or changes rows, with the values of its first time."""

    statements: dict[str, tuple[str, Any]] = field(default_factory=dict)

    @contextmanager
    def listening(self, engine: Engine) -> Iterator["Recorder"]:
        """Listen until the block ends."""
        event.listen(engine, "before_cursor_execute", self._keep)
        try:
            yield self
        finally:
            event.remove(engine, "before_cursor_execute", self._keep)

    def _keep(
        self, _connection: Connection, _cursor: Any, statement: str, values: Any, _context: Any, many: bool
    ) -> None:
        if _LOOKS_UP.match(statement):
            first = values[0] if many else values
            self.statements.setdefault(_LIST_OF_VALUES.sub("IN (…)", statement), (statement, first))


@dataclass(frozen=True)
class Finding:
    """A statement that looks at every row of a table that grows, or sorts what it found there."""

    statement: str
    table: str
    plan: str

    def __str__(self) -> str:
        """As a failed test shows it."""
        return f"{self.table}: {self.plan}\n    {' '.join(self.statement.split())}"


def explain(connection: Connection, statement: str, values: Any) -> Sequence[Finding]:
    """Return what is wrong with the engine's plan for a statement."""
    explain_one = _explain_sqlite if connection.dialect.name == "sqlite" else _explain_mysql
    return [
        Finding(statement, table, plan)
        for table, plan in explain_one(connection, statement, values)
        if table in GROWING_TABLES
    ]


def _explain_sqlite(connection: Connection, statement: str, values: Any) -> Iterator[tuple[str, str]]:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    steps = [_SQLITE_STEP.match(row.detail) for row in rows]
    tables = [step[2] for step in steps if step]
    for row, step in zip(rows, steps, strict=True):
        if step and step[1] == "SCAN":
            yield step[2], row.detail
        elif "TEMP B-TREE FOR ORDER BY" in row.detail:
            yield tables[0] if tables else "", row.detail


def _explain_mysql(connection: Connection, statement: str, values: Any) -> Iterator[tuple[str, str]]:
    words = "EXPLAIN FORMAT=TRADITIONAL" if connection.dialect.name == "mysql" else "EXPLAIN"
    if getattr(connection.dialect, "is_mariadb", False):
        words = "EXPLAIN"
    for row in connection.exec_driver_sql(f"{words} {statement}", values).mappings():
        found = {name.lower(): value for name, value in row.items()}
        extra = str(found.get("extra") or "")
        is_many = int(found["rows"] or 0) > FEW_ROWS
        reads_in_order = found["type"] == "index"  # until the LIMIT, which the number of rows knows
        if found["type"] == "ALL" or (is_many and (reads_in_order or "Using filesort" in extra)):
            yield str(found["table"]), _describe(found, extra)


def _describe(found: Mapping[str, Any], extra: str) -> str:
    return f"{found['type']} key={found['key']} rows={found['rows']} {extra}"
