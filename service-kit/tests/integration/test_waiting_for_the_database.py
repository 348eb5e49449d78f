"""A database that hangs, refuses or keeps one waiting costs no more than the time that a request has left."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from service_kit.db import connections
from service_kit.db.database import CommitOutcomeUnknown, Database, DatabaseAway, DatabaseUnavailable
from service_kit.db.engine import engine_options, prepare_engine
from service_kit.deadlines import time_budget
from service_kit.jobs.loops import Background, PeriodicLoop
from service_kit.web import standard_app
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.testkit.databases.plugin import EngineServers
from tests.testkit.suspended import suspended

SERVERS = pytest.mark.engines("mariadb", "mysql")
SQLITE = pytest.mark.engines("sqlite")
BUDGET_S = 2.5
# The database's own time-out is 10 s: what ends before that was ended by the budget.
IN_TIME_S = 8.0


@pytest.fixture
def url(database_url: str) -> str:
    """A database with a row, under the time-outs of production instead of the patient ones of tests."""
    with create_engine(database_url).begin() as connection:
        connection.execute(text("CREATE TABLE things (id INTEGER PRIMARY KEY, name VARCHAR(9))"))
        connection.execute(text("INSERT INTO things (id) VALUES (1)"))
    url = make_url(database_url)
    return url.difference_update_query(["connect_timeout", "read_timeout", "write_timeout"]).render_as_string(
        hide_password=False
    )


def make_app(url: str) -> tuple[Flask, Database]:
    app, db = Flask("kit-test"), Database()
    standard_app.begin(app, db, url, title="kit-test", description="A service.")
    standard_app.finish(app, {}, budget_s=BUDGET_S)

    @app.post("/things")
    def store() -> dict[str, str]:
        db.in_transaction(insert)
        return {}

    return app, db


@pytest.fixture
def app_and_db(url: str) -> Iterator[tuple[Flask, Database]]:
    app, db = make_app(url)
    with app.app_context():
        assert eventually(lambda: count(db)) == 1
        yield app, db
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def db(app_and_db: tuple[Flask, Database]) -> Database:
    return app_and_db[1]


@pytest.fixture
def hanging(database_engine: str, engine_servers: EngineServers) -> Callable[[], Any]:
    """A context in which the server hangs: the kernel takes connections and bytes, and no answer comes."""
    pid = engine_servers.get(database_engine).pid
    assert pid is not None

    return partial(suspended, pid)


def insert(session: Session) -> None:
    session.execute(text("INSERT INTO things (id) SELECT COALESCE(MAX(id), 0) + 1 FROM things AS t"))


def count(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(text("SELECT COUNT(*) FROM things")) or 0


@contextmanager
def in_time(budget_s: float = BUDGET_S, within_s: float = IN_TIME_S) -> Iterator[None]:
    began_s = time.monotonic()
    with time_budget(budget_s):
        yield
    assert time.monotonic() - began_s < within_s


@dataclass
class Address:
    """An address of 127.0.0.1 at which nobody listens, until ``open`` leads it to a server."""

    server_port: int
    port: int = 0
    tries: int = 0
    accepted: int = 0
    _held: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Bound and not listening: whoever connects is refused, and nobody else gets the port.
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._held.append(listener)

    def open(self) -> None:
        self._held[0].listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for held in self._held:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
            held.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._held[0].accept()
                self.accepted += 1
                server = socket.create_connection(("127.0.0.1", self.server_port))
                self._held += [client, server]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


@pytest.fixture
def address(url: str) -> Iterator[Address]:
    with closing(Address(make_url(url).port or 0)) as address:
        yield address


@pytest.fixture
def elsewhere(url: str, address: Address) -> Iterator[tuple[Flask, Database]]:
    """A service whose database is at ``address``."""
    app, db = make_app(make_url(url).set(port=address.port).render_as_string(hide_password=False))
    with app.app_context():

        @event.listens_for(db.engine, "handle_error")
        def note(context: Any) -> None:
            address.tries += 1

        yield app, db
        db.session.remove()
        db.engine.dispose()


@SERVERS
def test_a_statement_that_gets_no_answer_ends_with_the_budget(
    db: Database, hanging: Callable[[], Any]
) -> None:
    with hanging():
        with in_time(), pytest.raises(DatabaseUnavailable):
            db.in_transaction(insert)
        with in_time(), pytest.raises(DatabaseUnavailable):
            count(db)

    assert eventually(lambda: count(db)) == 1  # and nothing of it is stored, now that the server goes on


@SERVERS
def test_each_statement_has_what_the_ones_before_it_left(db: Database, hanging: Callable[[], Any]) -> None:
    def work(session: Session) -> None:
        session.execute(text("SELECT SLEEP(1.2)"))
        with hanging():
            session.execute(text("SELECT 1"))

    began_s = time.monotonic()
    with time_budget(1.6), pytest.raises(DatabaseUnavailable):
        db.in_transaction(work)

    # A limit chosen at the beginning would have let the second statement wait 1.6 s of its own.
    assert time.monotonic() - began_s < 2.7


@SERVERS
def test_a_commit_that_gets_no_answer_is_unknown_within_the_budget(
    db: Database, hanging: Callable[[], Any]
) -> None:
    runs: list[int] = []
    held = ExitStack()

    @event.listens_for(db.engine, "commit")
    def hang(_connection: object) -> None:
        held.enter_context(hanging())

    def work(session: Session) -> str:
        runs.append(1)
        insert(session)
        return "what it did"

    with held, in_time(), pytest.raises(CommitOutcomeUnknown) as caught:
        db.in_transaction(work)

    assert (caught.value.result, runs) == ("what it did", [1])
    assert eventually(lambda: count(db)) in {1, 2}  # unknown; and the session works again


@SERVERS
def test_a_connection_that_hung_is_used_by_nobody_else(db: Database, hanging: Callable[[], Any]) -> None:
    with db.reading() as session:
        before = session.scalar(text("SELECT CONNECTION_ID()"))

    with hanging(), in_time(0.5), pytest.raises(DatabaseUnavailable):
        count(db)

    def connection_id() -> int:
        with db.reading() as session:
            return session.scalar(text("SELECT CONNECTION_ID()")) or 0

    assert eventually(connection_id) != before


@SERVERS
def test_a_lock_is_waited_for_as_long_as_the_budget_lasts(db: Database) -> None:
    engine = create_engine(db.engine.url)
    with engine.connect() as holder:
        holder.execute(text("UPDATE things SET name = 'held'"))

        # Shorter than the wait for a lock, which has whole seconds.
        with in_time(0.5, within_s=1.8), pytest.raises(DatabaseUnavailable):
            db.in_transaction(lambda session: session.execute(text("UPDATE things SET name = 'ours'")))


@SERVERS
def test_slow_statements_do_not_open_the_breaker(db: Database) -> None:
    for _ in range(connections.BREAKER_FAILURES + 1):
        with in_time(0.3), pytest.raises(DatabaseUnavailable), db.reading() as session:
            session.execute(text("SELECT SLEEP(20)"))

    assert count(db) == 1


@SERVERS
@pytest.mark.parametrize("at_commit", [False, True])
def test_after_one_that_hung_for_long_one_looks_and_the_others_do_not_wait(
    app_and_db: tuple[Flask, Database],
    hanging: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    at_commit: bool,
) -> None:
    app, db = app_and_db
    monkeypatch.setattr(connections, "HANGS_AFTER_S", 0.5)
    tries: list[int] = []
    connect = connections.DeadlineConnection.connect

    def try_to_connect(connection: connections.DeadlineConnection, *args: Any) -> None:
        tries.append(1)
        connect(connection, *args)

    monkeypatch.setattr(connections.DeadlineConnection, "connect", try_to_connect)
    held = ExitStack()

    def hang(*_: object) -> None:
        held.enter_context(hanging())

    event.listen(db.engine, "commit" if at_commit else "begin", hang, once=True)
    with held:
        with time_budget(1.0), pytest.raises((DatabaseUnavailable, CommitOutcomeUnknown)):
            db.in_transaction(insert)
        assert tries == []
        answers = ask_at_once(app, db, 10)

    assert (len(tries), answers) == (1, [DatabaseAway] * 10)
    assert eventually(lambda: count(db))


@SERVERS
def test_a_statement_that_was_only_slow_costs_the_next_ones_nothing(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HANGS_AFTER_S", 0.2)

    for _ in range(3):
        with in_time(0.3), pytest.raises(DatabaseUnavailable), db.reading() as session:
            session.execute(text("SELECT SLEEP(20)"))
        assert count(db) == 1


def ask_at_once(app: Flask, db: Database, number: int) -> list[type[Exception] | None]:
    """What so many are told that read at the same time, each in a thread of its own."""
    answers: list[type[Exception] | None] = []

    def ask() -> None:
        with app.app_context():
            try:
                count(db)
            except DatabaseUnavailable as exc:
                answers.append(type(exc))
            else:
                answers.append(None)

    threads = [threading.Thread(target=ask) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@SERVERS
def test_errors_of_the_server_do_not_open_the_breaker(url: str) -> None:
    app, db = make_app(make_url(url).set(database="missing").render_as_string(hide_password=False))

    with app.app_context():
        for _ in range(connections.BREAKER_FAILURES + 1):
            with pytest.raises(DBAPIError):
                count(db)


@SERVERS
def test_while_the_server_is_away_nobody_waits_and_its_return_is_noticed(
    address: Address, elsewhere: tuple[Flask, Database]
) -> None:
    _, db = elsewhere
    with in_time(), pytest.raises(DatabaseUnavailable):
        db.in_transaction(insert)
    tries = address.tries
    assert tries >= connections.BREAKER_FAILURES

    for _ in range(20):
        with pytest.raises(DatabaseAway):
            db.in_transaction(insert)
    # Twenty came at once, and at most two of them were let through to look.
    assert address.tries <= tries + 2

    address.open()
    assert eventually(lambda: count(db)) == 1


@SERVERS
def test_of_many_that_come_when_the_breaker_may_try_again_one_does(
    address: Address, elsewhere: tuple[Flask, Database], hanging: Callable[[], Any]
) -> None:
    app, db = elsewhere
    with in_time(), pytest.raises(DatabaseUnavailable):
        db.in_transaction(insert)
    address.open()

    with hanging():
        time.sleep(connections.BREAKER_RESET_S)
        answers = ask_at_once(app, db, 10)

    assert (address.accepted, answers) == (1, [DatabaseAway] * 10)


@SERVERS
def test_work_that_saw_the_outage_begin_outlasts_it(
    address: Address, elsewhere: tuple[Flask, Database]
) -> None:
    _, db = elsewhere
    opening = threading.Timer(1.0, address.open)
    opening.start()

    with time_budget(60):
        db.in_transaction(insert)

    assert address.tries >= connections.BREAKER_FAILURES
    assert count(db) == 2


@SERVERS
def test_a_connection_is_waited_for_as_long_as_the_budget_lasts(url: str) -> None:
    app, db = Flask("narrow"), Database()
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {**engine_options(url), "pool_size": 1, "max_overflow": 0}
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        with db.engine.connect(), in_time(), pytest.raises(DatabaseUnavailable, match="came free"):
            count(db)


@SERVERS
def test_a_request_is_answered_within_its_budget(
    app_and_db: tuple[Flask, Database], hanging: Callable[[], Any]
) -> None:
    client = app_and_db[0].test_client()

    with hanging(), in_time(60):
        answer = client.post("/things")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json
    assert answer.json["code"] == "database_unavailable"


@SERVERS
def test_readiness_answers_within_a_second_when_the_database_hangs(
    app_and_db: tuple[Flask, Database], hanging: Callable[[], Any]
) -> None:
    client = app_and_db[0].test_client()

    with hanging():
        for _ in range(4):  # with a connection of the pool first, then with new ones, then without
            with in_time(60, within_s=1.5):
                assert client.get("/health/ready").status_code == 503

    assert eventually(lambda: client.get("/health/ready").status_code == 200)


@SERVERS
def test_readiness_answers_within_a_second_when_the_database_is_away(
    elsewhere: tuple[Flask, Database],
) -> None:
    client = elsewhere[0].test_client()

    for _ in range(connections.BREAKER_FAILURES + 2):
        with in_time(60, within_s=1.5):
            assert client.get("/health/ready").status_code == 503


@SERVERS
def test_the_loops_of_a_worker_outlive_the_database(
    app_and_db: tuple[Flask, Database], hanging: Callable[[], Any]
) -> None:
    app, db = app_and_db
    done = threading.Event()

    def look() -> int:
        with time_budget(0.3):
            count(db)
        done.set()
        return 0

    background = Background([PeriodicLoop(app, "look", 0.01, look, 1)])
    background.start()
    try:
        with hanging():
            time.sleep(1.0)
            done.clear()
            time.sleep(1.5)
            assert not done.is_set()
        assert done.wait(60)
    finally:
        background.stop()


@SQLITE
def test_sqlites_lock_is_waited_for_as_long_as_the_budget_lasts(db: Database, tmp_path: Path) -> None:
    engine = create_engine(db.engine.url)
    prepare_engine(engine)
    with engine.connect().execution_options(begin_immediate=True) as holder:
        holder.execute(text("UPDATE things SET name = 'held'"))

        # Shorter than the two seconds for which SQLite waits by itself.
        with in_time(0.5, within_s=1.8), pytest.raises(DatabaseUnavailable):
            db.in_transaction(insert)

    with time_budget(30):
        db.in_transaction(insert)
        waits = db.session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar()
        db.session.rollback()

    assert (count(db), waits) == (2, 2000)


def eventually(find: Callable[[], int]) -> int:
    """Return what is found once the database is back; the breaker may need a moment to notice."""
    deadline_s = time.monotonic() + 60
    while True:
        try:
            if found := find():
                return found
        except DatabaseUnavailable:
            pass
        assert time.monotonic() < deadline_s, "it never came back"
        time.sleep(0.1)
