"""Rows that come more than once are stored once, on every engine."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from service_kit.db.columns import BigId, ascii_key
from service_kit.db.database import Database, insert_missing, look_again, new_metadata
from service_kit.db.engine import engine_options, prepare_engine
from sqlalchemy import String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    metadata = new_metadata()


class Parcel(Base):
    __tablename__ = "parcels"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    content: Mapped[str] = mapped_column(String(20))


@pytest.fixture
def app(database_url: str) -> Flask:
    app = Flask("kit-test")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(database_url)
    return app


@pytest.fixture
def db(app: Flask) -> Iterator[Database]:
    db = Database()
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        Base.metadata.create_all(db.engine)
    yield db
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@look_again
def store(app: Flask, db: Database, **parcels: str) -> int:
    rows = {name: {"name": name, "content": content} for name, content in parcels.items()}
    with app.app_context():
        return db.in_transaction(lambda session: insert_missing(session, Parcel.name, rows))


def stored(app: Flask, db: Database) -> dict[str, str]:
    with app.app_context(), db.reading() as session:
        return {parcel.name: parcel.content for parcel in session.scalars(select(Parcel))}


def test_what_is_there_stays_as_it_was_and_the_rest_is_added(app: Flask, db: Database) -> None:
    assert store(app, db, a="1", b="2") == 2
    assert store(app, db, b="9", c="3") == 1
    assert store(app, db, a="9", b="9", c="9") == 0

    assert stored(app, db) == {"a": "1", "b": "2", "c": "3"}


def test_two_who_bring_the_same_store_it_once(app: Flask, db: Database) -> None:
    rounds = 20
    counts: list[int] = []
    start = threading.Barrier(2)

    def bring() -> None:
        for number in range(rounds):
            start.wait(timeout=60)
            counts.append(store(app, db, **{f"r{number}_{letter}": letter for letter in "abc"}))

    threads = [threading.Thread(target=bring) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(counts) == 2 * rounds
    assert sum(counts) == len(stored(app, db)) == 3 * rounds
