"""Column types that behave alike on SQLite, MariaDB and MySQL."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import BigInteger, ColumnElement, DateTime, Enum, Integer, String, Table, and_, inspect
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeDecorator, TypeEngine

# SQLite numbers its rows by itself only in a column that is declared INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC with microseconds: DATETIME(6) on MySQL; aware on both sides of the column."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Ask MySQL for microseconds, which its DATETIME drops by default."""
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store the UTC wall time; a naive value is a programming error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A datetime without a time zone cannot be stored.")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def ascii_key(length: int) -> TypeEngine[str]:
    """Return a string column type that compares byte for byte on every engine.

    MySQL's default collations hold ``Key``, ``key`` and ``kéy`` for equal; ids and hashes must not be.
    """
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )


def exact_text(length: int) -> TypeEngine[str]:
    """Return a string column type for words of others: ``Zoé`` is neither ``zoé`` nor ``Zoe``.

    SQLite compares so by itself; MySQL only with a binary collation, which still ignores blanks at the end:
    see ``is_exactly``.
    """
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
    )


def is_exactly(column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """Return the condition that an ``exact_text`` column is this text, blanks at its end included.

    ``=`` finds the rows by an index; LIKE, which on SQLite ignores case, looks at the blanks.
    """
    pattern = re.sub(r"([|%_])", r"|\1", text)
    return and_(column == text, column.like(pattern, escape="|"))


def enum_column(kind: type[StrEnum], length: int) -> Enum:
    """Return a column type that stores the values of ``kind`` as plain text, the same on every engine."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda members: [member.value for member in members],
    )


def table_of(model: type[Any]) -> Table:
    """Return the table of a model, for statements on the hot path: without the ORM they cost half."""
    return cast(Table, inspect(model).local_table)
