"""The tables of every service after its migrations from empty, as the database itself describes them."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pymysql
from pymysql.cursors import Cursor
from sqlalchemy.engine import make_url

from tests.surface.checkout import SERVICES, Checkout
from tests.testkit.databases.engines import DatabaseServer, EngineMissing, MariaDbServer, MySqlServer

_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
_INDEX = re.compile(r"  (UNIQUE )?KEY ")


def write_tables(checkout: Checkout, output: Path, scratch: Path) -> list[str]:
    """Write a file per engine and service; return what could not be looked at."""
    _write_engine(output / "sqlite", _on_sqlite(checkout, scratch))
    missing = []
    for kind in (MariaDbServer, MySqlServer):
        try:
            with kind() as server:
                _write_engine(output / kind.label.lower(), _on_server(checkout, server))
        except EngineMissing as exc:
            missing.append(str(exc))
    return missing


def _write_engine(folder: Path, described: Iterator[tuple[str, str]]) -> None:
    folder.mkdir(parents=True)
    for service, text in described:
        (folder / f"{service}.sql").write_text(text)


def _on_sqlite(checkout: Checkout, scratch: Path) -> Iterator[tuple[str, str]]:
    for service in SERVICES:
        file = scratch / f"{service}.db"
        checkout.run(f"{service} migrate", {"DATABASE_URL": f"sqlite:///{file}"})
        with closing(sqlite3.connect(file)) as connection:
            head = connection.execute("SELECT version_num FROM alembic_version ORDER BY 1").fetchall()
            rows = connection.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2"
            ).fetchall()
        parts = [
            f"-- {kind} {name} of {table}\n{sql or '-- made by SQLite itself'}\n"
            for kind, name, table, sql in rows
        ]
        yield service, "\n".join([f"-- head: {head}\n", *parts])


def _on_server(checkout: Checkout, server: DatabaseServer) -> Iterator[tuple[str, str]]:
    for service in SERVICES:
        address = server.create_database(service.replace("-", "_"))
        checkout.run(f"{service} migrate", {"DATABASE_URL": address})
        url = make_url(address)
        with closing(
            pymysql.connect(
                host=url.host,
                port=url.port or 0,
                user=url.username,
                password=url.password or "",
                database=url.database,
            )
        ) as connection:
            yield service, _described(connection.cursor())


def _described(cursor: Cursor) -> str:
    def rows(statement: str) -> list[tuple[object, ...]]:
        cursor.execute(statement)
        return list(cursor.fetchall())

    head = rows("SELECT version_num FROM alembic_version ORDER BY 1")
    tables = sorted(str(table) for (table,) in rows("SHOW TABLES"))
    made = [_laid_out(str(rows(f"SHOW CREATE TABLE `{table}`")[0][1])) for table in tables]
    parts = [f"-- head: {head}\n", *(f"{text}\n" for text in made)]
    for kind in (
        "TRIGGERS",
        "PROCEDURE STATUS WHERE Db = DATABASE()",
        "FUNCTION STATUS WHERE Db = DATABASE()",
    ):
        parts += [f"-- {kind}: {row[:3]}\n" for row in rows(f"SHOW {kind}")]
    return "\n".join(parts)


def _laid_out(text: str) -> str:
    """Sort a table's indexes: SQLAlchemy keeps them in a set, and makes them in another order each time."""
    lines = _COUNTER.sub("", text).replace(",\n", "\n").splitlines()
    places = [place for place, line in enumerate(lines) if _INDEX.match(line)]
    for place, line in zip(places, sorted(lines[place] for place in places), strict=True):
        lines[place] = line
    return "\n".join(lines)
