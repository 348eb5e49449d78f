"""An application with a scripted world around it, on an empty database."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, cast

from flask import Flask
from payment_service.app import configure_logs, create_app, new_dependencies
from payment_service.commands.access.rotate_signing_keys import ensure_signing_key
from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.commands.upkeep.run_janitor import run_janitor
from payment_service.commands.upkeep.seed_lab import seed_lab
from payment_service.config import Config
from payment_service.controllers.request import EXTENSION
from payment_service.domain import merchant_directory
from payment_service.domain.access import api_clients, signing_keys, token_failures
from payment_service.domain.followers import events_called
from payment_service.domain.merchant_directory import MerchantDirectory
from payment_service.domain.positions import EVENTS
from payment_service.domain.told_events import sent_events
from payment_service.extensions import db
from payment_service.models.base import Base
from payment_service.models.merchant import SigningKey
from payment_service.models.message import OutboxMessage
from payment_service.models.movement import MOVEMENTS, AnyMovement, PaymentAttempt
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.processing.dependencies import Dependencies
from sqlalchemy import ColumnElement, Connection, Row, Table, delete, event, exists, inspect, literal, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from tests.testkit.fake_clock import FakeClock
from tests.testkit.payments.cards import CARD
from tests.testkit.payments.client import Answer, Client
from tests.testkit.payments.scripted.bank import ScriptedBank
from tests.testkit.payments.scripted.services import CountingWaker, ScriptedFraud

T = TypeVar("T")
Model = TypeVar("Model", bound=Base)
Movements = TypeVar("Movements", bound=AnyMovement)

CONNECTION_LOST = 2013
# What remembers for a while, beside the deadlines.
_FORGETFUL = (api_clients, signing_keys, token_failures, merchant_directory)
_CONNECTING_S = 50.0


@dataclass
class World:
    """A payment-service on one database, with the scripted world around it."""

    app: Flask
    config: Config
    bank: ScriptedBank = field(default_factory=ScriptedBank)
    fraud: ScriptedFraud = field(default_factory=ScriptedFraud)
    waker: CountingWaker = field(default_factory=CountingWaker)
    clock: FakeClock = field(default_factory=FakeClock)

    @property
    def client(self) -> Client:
        """A new client, without cookies of others."""
        return cast(Client, self.app.test_client())

    @property
    def dependencies(self) -> Dependencies:
        """What the commands are given."""
        dependencies: Dependencies = self.app.extensions[EXTENSION]
        return dependencies

    def create(self, total_amount: Any = 3999.98, **changes: Any) -> int:
        """Create a payment as Store Manager does, and return its id."""
        body = {"user_id": 1, "order_id": 1, "total_amount": total_amount, **changes}
        response = self.client.post("/payments", json=body)
        if response.status_code != 201:
            raise AssertionError(response.text)
        payment_id: int = response.json["payment_id"]
        return payment_id

    def pay(self, payment_id: object, card: Mapping[str, Any] = CARD, **headers: str) -> Answer:
        """Send a card."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(f"/payments/process/{payment_id}", json=dict(card), headers=given)

    def all(self, model: type[Model], **where: Any) -> Sequence[Model]:
        """Return the rows of a table, oldest first."""
        with self.app.app_context(), db.reading() as session:
            rows = list(
                session.scalars(select(model).filter_by(**where).order_by(*inspect(model).primary_key))
            )
            session.expunge_all()
        return rows

    def payment(self, payment_id: int) -> Payment:
        """Return one payment as stored."""
        return self.all(Payment, id=payment_id)[0]

    def payment_by(self, public_id: str) -> Payment:
        """Return one payment by its public id."""
        return self.all(Payment, public_id=public_id)[0]

    def attempts(self, payment_id: int) -> Sequence[PaymentAttempt]:
        """Return a payment's movements."""
        return self.all(PaymentAttempt, payment_id=payment_id)

    def attempt(self, payment_id: int) -> PaymentAttempt:
        """Return a payment's only movement."""
        (attempt,) = self.attempts(payment_id)
        return attempt

    def events(self, payment_id: int) -> list[str]:
        """Return the types of a payment's events, in order."""
        return [event.type for event in self.all(PaymentEvent, payment_id=payment_id)]

    def messages(self, **where: Any) -> Sequence[OutboxMessage]:
        """Return the outbox."""
        return self.all(OutboxMessage, **where)

    def told_to_payers(self) -> list[Mapping[str, Any]]:
        """Return what notification-service is told for payers, oldest first."""
        names = [event.public_id for event in self.all(PaymentEvent)]
        with self.app.app_context():
            give_positions(EVENTS, self.dependencies)
            with db.reading() as session:
                events = events_called(session, names)
                told = sent_events(session, MerchantDirectory(), events)
        return [item["payment"] for item in told if "payment" in item]

    def change(self, work: Callable[[Session], T]) -> T:
        """Change rows behind the service's back."""
        with self.app.app_context():
            return db.in_transaction(work)

    def age(self, seconds: float, *, payment_id: int | None = None) -> None:
        """Let all movements, or those of one payment, have begun ``seconds`` earlier."""
        by = timedelta(seconds=seconds)

        def work(session: Session) -> None:
            for table in MOVEMENTS:
                _make_older(session, table, by, payment_id)

        self.change(work)

    def outlast_senders(self) -> None:
        """Let so much time pass that nobody can be sending what was begun: it is the janitor's now."""
        limits = self.config.limits
        self.age(limits.send_within_s + max(limits.busy_grace_s, limits.clock_margin_s) + 1)

    def run_janitor(self) -> int:
        """Do one turn of the janitor, in a thread of its own as in the worker."""
        return self.in_other_thread(lambda: len(run_janitor(self.dependencies)))

    def in_other_thread(self, do: Callable[[], T]) -> T:
        """Run ``do`` as another process would: with a session of its own."""
        results: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                with self.app.app_context():
                    results.append(do())
            except BaseException as exc:  # noqa: BLE001  raised again in the test's thread
                errors.append(exc)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    @contextmanager
    def losing_commit(self, number: int, *, is_stored: bool) -> Iterator[None]:
        """Lose the connection at the ``number``-th COMMIT from now, after or before the server had it."""
        count = 0

        def commit(connection: Connection) -> None:
            nonlocal count
            count += 1
            if count == number:
                if is_stored:
                    connection.connection.commit()
                raise lost_connection()

        with self._listening("commit", commit):
            yield

    @contextmanager
    def losing_database(self, *, after_units: int) -> Iterator[None]:
        """Let no unit of work begin any more after so many of them; each one takes long to find that out."""
        count = 0

        def begin(_connection: Connection) -> None:
            nonlocal count
            # The session of units of work; whoever only reads has one of its own.
            if db.session().in_transaction():
                count += 1
                if count > after_units:
                    self.clock.advance(_CONNECTING_S)
                    raise lost_connection()

        with self._listening("begin", begin):
            yield

    @contextmanager
    def _listening(self, name: str, listener: Callable[[Connection], None]) -> Iterator[None]:
        with self.app.app_context():
            engine = db.engine
        event.listen(engine, name, listener)
        try:
            yield
        finally:
            event.remove(engine, name, listener)


def _make_older(session: Session, table: type[Movements], by: timedelta, payment_id: int | None) -> None:
    for movement in session.scalars(select(table)):
        if payment_id in {None, movement.payment_id}:
            movement.started_at -= by
            movement.send_before -= by
            if movement.next_ask_at is not None:
                movement.next_ask_at -= by


class _DriverError(Exception):
    """Carries an error number as PyMySQL's exceptions do."""


def lost_connection() -> OperationalError:
    """Return the error of a connection that is lost while COMMIT is under way."""
    return OperationalError("COMMIT", None, _DriverError(CONNECTION_LOST, "Lost connection to server"))


class Worlds:
    """An application on a migrated database, with one world after the other around it.

    Each world is new: its tables hold the seed and nothing else, and of the one before the application has
    nothing but its routes and its connections. It is put together once, which takes longer than most tests.
    """

    def __init__(self, config: Config, prepare: Callable[[Flask], object] = lambda _app: None) -> None:
        self._config = config
        self._app = create_app(config)
        prepare(self._app)
        # From its first answer on, Flask lets nobody add to an application.
        self._app.test_client().get("/health/live")
        self._settings = dict(self._app.config)
        self._signing_keys: Sequence[Row[Any]] = ()

    @contextmanager
    def new(self) -> Iterator[World]:
        """Begin a new world. Its clock stands still: no deadline passes in it however busy the machine is."""
        configure_logs(self._config)  # to wherever this test has its output
        self._renew_signing_key()
        world = World(self._app, self._config)
        self._app.config.clear()
        self._app.config.update(self._settings)
        self._app.extensions[EXTENSION] = new_dependencies(self._config, world.bank, world.fraud, world.waker)
        with world.clock.running(*_FORGETFUL):
            with self._app.app_context():
                db.in_transaction(_empty)
                seed_lab(world.dependencies)
            try:
                yield world
            finally:
                with self._app.app_context():
                    if cast(QueuePool, db.engine.pool).checkedout():
                        db.engine.dispose()  # so that nobody meets what this test left open

    def close(self) -> None:
        """Close the connections."""
        with self._app.app_context():
            db.engine.dispose()

    def _renew_signing_key(self) -> None:
        """Make a new key where a test touched the last one: a key costs more than all other rows."""
        with self._app.app_context():
            if not self._signing_keys or _signing_keys() != self._signing_keys:
                db.in_transaction(lambda session: session.execute(delete(SigningKey)))
                ensure_signing_key(new_dependencies(self._config))
                self._signing_keys = _signing_keys()


@contextmanager
def world_on(config: Config, prepare: Callable[[Flask], object] = lambda _app: None) -> Iterator[World]:
    """Put an application together for one world alone; ``prepare`` may add to it."""
    worlds = Worlds(config, prepare)
    try:
        with worlds.new() as world:
            yield world
    finally:
        worlds.close()


def _signing_keys() -> Sequence[Row[Any]]:
    with db.reading() as session:
        return session.execute(select(SigningKey.__table__)).all()


def _empty(session: Session) -> None:
    """Empty what has rows, but for the signing keys."""
    has_rows = session.execute(select(*(_has_rows(table) for table in _TABLES))).one()
    for table, is_filled in zip(_TABLES, has_rows, strict=True):
        if is_filled:
            session.execute(delete(table))


def _has_rows(table: Table) -> ColumnElement[bool]:
    return exists(select(literal(1)).select_from(table))


# Whatever points to a row goes before it.
_TABLES = [table for table in reversed(Base.metadata.sorted_tables) if table is not SigningKey.__table__]
