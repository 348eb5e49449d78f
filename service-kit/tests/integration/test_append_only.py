"""Rows that are only ever added: written together at the end of the unit of work, or not at all."""

from collections.abc import Iterator

import pytest
from flask import Flask
from service_kit.db.columns import BigId, ascii_key
from service_kit.db.database import Database, new_metadata
from service_kit.db.engine import engine_options, prepare_engine
from service_kit.db.rows import append_rows, insert_rows
from sqlalchemy import ForeignKey, create_engine, event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    metadata = new_metadata()


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    title: Mapped[str] = mapped_column(ascii_key(64), unique=True)


class Page(Base):
    __tablename__ = "pages"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    book_id: Mapped[int] = mapped_column(BigId, ForeignKey("books.id"))
    text: Mapped[str] = mapped_column(ascii_key(64), unique=True)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    app = Flask("kit-test")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(database_url)
    db = Database()
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        Base.metadata.create_all(db.engine)
        yield db
        db.session.remove()
        db.engine.dispose()


def texts(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(select(Page.text).order_by(Page.id)))


def write(session: Session, title: str, *pages: str) -> Book:
    book = Book(title=title)
    session.add(book)
    session.flush()
    for text in pages:
        append_rows(session, Page, [{"book_id": book.id, "text": text}])
    return book


def test_what_many_places_append_is_one_statement(db: Database) -> None:
    inserted: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        inserted.extend(table for table in ("books", "pages") if statement.startswith(f"INSERT INTO {table}"))

    event.listen(db.engine, "before_cursor_execute", note)
    db.in_transaction(lambda session: write(session, "one", "a", "b", "c"))

    assert inserted == ["books", "pages"]
    assert texts(db) == ["a", "b", "c"]


def test_nothing_is_left_of_a_unit_that_failed(db: Database) -> None:
    def fail(session: Session) -> None:
        write(session, "one", "a")
        raise LookupError

    with pytest.raises(LookupError):
        db.in_transaction(fail)
    db.in_transaction(lambda session: write(session, "two", "b"))

    assert texts(db) == ["b"]


def test_a_row_that_breaks_a_constraint_undoes_the_unit(db: Database) -> None:
    db.in_transaction(lambda session: write(session, "one", "a"))

    with pytest.raises(IntegrityError):
        db.in_transaction(lambda session: write(session, "two", "b", "a"))

    assert texts(db) == ["a"]
    with db.reading() as session:
        assert list(session.scalars(select(Book.title))) == ["one"]


def test_a_session_that_commits_by_itself_writes_them_too(db: Database) -> None:
    write(db.session(), "one", "a")
    db.session.commit()

    assert texts(db) == ["a"]


def test_a_session_that_would_never_write_them_is_refused(db: Database) -> None:
    with Session(create_engine("sqlite://")) as stranger, pytest.raises(TypeError):
        append_rows(stranger, Page, [{"book_id": 1, "text": "a"}])


def test_a_row_inserted_at_once_may_be_refused_and_the_unit_goes_on(db: Database) -> None:
    db.in_transaction(lambda session: write(session, "one"))

    def work(session: Session) -> None:
        with pytest.raises(IntegrityError):
            insert_rows(session, Book, [{"title": "one"}])
        write(session, "two", "a")

    db.in_transaction(work)

    assert texts(db) == ["a"]
