"""For tests: a bank and a fraud-service that play a script, and an application that is put together on them.

The fakes stand in for what lies outside, and enter through ``create_app`` only.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar, cast

from flask import Flask
from service_kit.config import Profile
from service_kit.http_client import NotSent, TooManyCalls
from sqlalchemy import Connection, delete, event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.datastructures import Headers

from payment_service.app import create_app
from payment_service.clients.fraud import AssessmentRequest, FraudSilent
from payment_service.commands.access.rotate_signing_keys import ensure_signing_key
from payment_service.commands.dependencies import Dependencies
from payment_service.commands.payments.run_janitor import run_janitor
from payment_service.commands.seed_lab import seed_lab
from payment_service.config import Config, TimeLimits
from payment_service.controllers.current import EXTENSION
from payment_service.domain.payments.movements import TABLES, AnyMovement
from payment_service.extensions import db
from payment_service.models.base import Base
from payment_service.models.outbox_message import OutboxMessage
from payment_service.models.payments.payment import Payment
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.models.payments.payment_event import PaymentEvent
from payment_service.providers.port import (
    Capabilities,
    CaptureRequest,
    ChargeRequest,
    Outcome,
    ProviderResult,
    RefundRequest,
    VoidRequest,
)
from payment_service.values.assessment import Assessment, FraudDecision
from payment_service.values.statuses import Destination

T = TypeVar("T")
Model = TypeVar("Model", bound=Base)
Movements = TypeVar("Movements", bound=AnyMovement)

# The documented test card, as the lab's collections send it.
CARD: Mapping[str, Any] = {"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"}
OTHER_CARD: Mapping[str, Any] = {
    "cardNumber": "4242 4242 4242 4242",
    "cardCode": "9071",
    "expirationDate": "2031-12",
}
CONNECTION_LOST = 2013
EVENT_QUEUES = frozenset({Destination.EVENTS, Destination.FRAUD_OUTCOMES})


def make_config(database_url: str, **changes: Any) -> Config:
    """Return the lab's configuration with short time limits; nothing of it points to anybody."""
    config = replace(
        Config.from_env(),
        profile=Profile.LAB,
        database_url=database_url,
        bank_url="http://127.0.0.1:1",
        fraud_service_url="http://127.0.0.1:1",
        notification_service_url="http://127.0.0.1:1",
        store_manager_orders_url="http://127.0.0.1:1/orders",
        worker_wake_address="127.0.0.1:9",
        fraud_silent_approve_below=Decimal("1000.00"),
        limits=TimeLimits(provider_s=1.0, ask_s=0.5),
    )
    return replace(config, **changes)


PENDING = ProviderResult(Outcome.PENDING)
SaleBehaviour = Callable[["ScriptedBank", ChargeRequest], ProviderResult]
CarryOut = Callable[[], ProviderResult]
# What happens to a capture, void or refund of this id; the last argument carries it out.
FollowUpBehaviour = Callable[["ScriptedBank", str, CarryOut], ProviderResult]


def approve(bank: "ScriptedBank", request: ChargeRequest) -> ProviderResult:
    """Take the money and say so."""
    return bank.carry_out(request)


def decline(code: str) -> SaleBehaviour:
    """Take nothing and say why."""

    def behave(bank: "ScriptedBank", request: ChargeRequest) -> ProviderResult:
        return bank.remember(request.attempt_id, ProviderResult(Outcome.DECLINED, decline_code=code))

    return behave


def lose_answer(bank: "ScriptedBank", request: ChargeRequest) -> ProviderResult:
    """Take the money; the answer is lost on its way."""
    bank.carry_out(request)
    return ProviderResult(Outcome.PENDING, detail="the answer was lost")


def lose_request(_bank: "ScriptedBank", _request: ChargeRequest) -> ProviderResult:
    """Nothing arrives, and nobody can know that."""
    return ProviderResult(Outcome.PENDING, detail="the request was lost")


def refuse_connection(_bank: "ScriptedBank", _request: ChargeRequest) -> ProviderResult:
    """The request surely never left."""
    raise NotSent("bank: connection refused")


def be_full(_bank: "ScriptedBank", _request: ChargeRequest) -> ProviderResult:
    """Too many calls are under way already."""
    raise TooManyCalls("bank: too many calls at once")


class ScriptedBank:
    """A bank in memory: plays ``script`` sale by sale (then approves), and remembers what it carried out.

    While it ``is_slow``, captures, voids and refunds stay pending until ``settle``.
    """

    name = "bank-simulator"

    def __init__(self) -> None:
        self.capabilities = Capabilities(can_abandon=True)
        self.script: list[SaleBehaviour] = []
        self.follow_up_script: list[FollowUpBehaviour] = []
        self.sales: list[ChargeRequest] = []
        self.captures: list[CaptureRequest] = []
        self.voids: list[VoidRequest] = []
        self.refunds: list[RefundRequest] = []
        self.asked: list[str] = []
        self.abandoned: list[str] = []
        self.taken_minor: dict[str, int] = {}
        self.held_minor: dict[str, int] = {}
        self.is_away = False
        self.is_slow = False
        self.void_answer: ProviderResult | None = None
        self._known: dict[str, ProviderResult] = {}
        self._to_hold: set[str] = set()
        self._lock = threading.RLock()

    @property
    def total_minor(self) -> int:
        """What the bank holds of ours."""
        return sum(self.taken_minor.values())

    def carry_out(self, request: ChargeRequest) -> ProviderResult:
        """Move the money once for each id."""
        with self._lock:
            if request.attempt_id not in self._known:
                where = self.held_minor if request.attempt_id in self._to_hold else self.taken_minor
                where[request.attempt_id] = request.amount.amount_minor
                self._known[request.attempt_id] = ProviderResult(
                    Outcome.APPROVED, authorization_code=f"A{len(self._known):05}"
                )
            return self._known[request.attempt_id]

    def remember(self, attempt_id: str, result: ProviderResult) -> ProviderResult:
        """Hold ``result`` for what became of the id, unless something did before."""
        with self._lock:
            return self._known.setdefault(attempt_id, result)

    def settle(self, attempt_id: str, result: ProviderResult) -> None:
        """Let a challenge, or what is pending, come to its end."""
        with self._lock:
            self._known[attempt_id] = result

    def end_challenges(self) -> None:
        """Let challenges be abandoned from now on."""
        with self._lock:
            for attempt_id, result in self._known.items():
                if result.outcome is Outcome.REQUIRES_ACTION:
                    self._known[attempt_id] = ProviderResult(Outcome.ABANDONED)

    def sale(self, request: ChargeRequest) -> ProviderResult:
        """Play the next behaviour of the script."""
        with self._lock:
            self.sales.append(request)
            behave = self.script.pop(0) if self.script else approve
        return behave(self, request)

    def authorise(self, request: ChargeRequest) -> ProviderResult:
        """Play the next behaviour of the script; what it carries out is held."""
        self._to_hold.add(request.attempt_id)
        return self.sale(request)

    def capture(self, request: CaptureRequest) -> ProviderResult:
        """Take held money, never more than is held."""

        def carry_out() -> ProviderResult:
            held_minor = self.held_minor.get(request.original_id)
            if held_minor is None:
                return ProviderResult(Outcome.DECLINED, decline_code="wrong_state")
            if request.amount.amount_minor > held_minor:
                return ProviderResult(Outcome.DECLINED, decline_code="amount_too_large")
            taken_minor = self.taken_minor.get(request.original_id, 0)
            self.taken_minor[request.original_id] = taken_minor + request.amount.amount_minor
            self.held_minor[request.original_id] = held_minor - request.amount.amount_minor
            if request.is_final or held_minor == request.amount.amount_minor:
                del self.held_minor[request.original_id]
            return ProviderResult(Outcome.APPROVED, amount=request.amount)

        self.captures.append(request)
        return self._follow_up(request.capture_id, carry_out)

    def void(self, request: VoidRequest) -> ProviderResult:
        """Release a hold or give a sale back."""

        def carry_out() -> ProviderResult:
            if request.original_id in self._to_hold:
                if self.held_minor.pop(request.original_id, None) is None:
                    return ProviderResult(Outcome.DECLINED, decline_code="wrong_state")
            else:
                self.taken_minor[request.original_id] = 0
            return ProviderResult(Outcome.APPROVED)

        self._refuse_if_away()
        self.voids.append(request)
        if self.void_answer is not None:
            return self.void_answer
        return self._follow_up(request.void_id, carry_out)

    def refund(self, request: RefundRequest) -> ProviderResult:
        """Give taken money back, never more than was taken."""

        def carry_out() -> ProviderResult:
            if request.amount.amount_minor > self.taken_minor.get(request.original_id, 0):
                return ProviderResult(Outcome.DECLINED, decline_code="amount_too_large")
            self.taken_minor[request.original_id] -= request.amount.amount_minor
            return ProviderResult(Outcome.APPROVED, amount=request.amount)

        self.refunds.append(request)
        return self._follow_up(request.refund_id, carry_out)

    def _follow_up(self, movement_id: str, carry_out: CarryOut) -> ProviderResult:
        """Play the next behaviour of the follow-ups' script, once for each id."""
        self._refuse_if_away()
        if self.is_slow:
            return self.remember(movement_id, PENDING)

        def once() -> ProviderResult:
            with self._lock:
                if movement_id not in self._known:
                    self._known[movement_id] = carry_out()
                return self._known[movement_id]

        with self._lock:
            behave = self.follow_up_script.pop(0) if self.follow_up_script else None
        return once() if behave is None else behave(self, movement_id, once)

    def fetch_status(self, attempt_id: str) -> ProviderResult:
        """Say what became of the id."""
        self._refuse_if_away()
        with self._lock:
            self.asked.append(attempt_id)
            return self._known.get(attempt_id, ProviderResult(Outcome.NOT_FOUND))

    def abandon(self, attempt_id: str) -> ProviderResult:
        """Make sure that the id never executes."""
        self._refuse_if_away()
        with self._lock:
            self.abandoned.append(attempt_id)
            if self._known.get(attempt_id, PENDING).outcome in {Outcome.PENDING, Outcome.REQUIRES_ACTION}:
                self._known[attempt_id] = ProviderResult(Outcome.ABANDONED)
            return self._known[attempt_id]

    def _refuse_if_away(self) -> None:
        if self.is_away:
            raise NotSent("bank: connection refused")


class ScriptedFraud:
    """Judges by ``script``, assessment by assessment, then approves; None is silence."""

    def __init__(self) -> None:
        self.script: list[FraudDecision | None] = []
        self.requests: list[AssessmentRequest] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def assess(self, request: AssessmentRequest) -> Assessment:
        """Return the next decision."""
        self.requests.append(request)
        self.meanwhile()
        decision = self.script.pop(0) if self.script else FraudDecision.APPROVE
        if decision is None:
            raise FraudSilent("fraud-service: ReadTimeoutError")
        return Assessment(decision, [{"rule": "scripted", "detail": decision.value}])


@dataclass
class CountingWaker:
    """Counts how often the worker was woken."""

    calls: int = 0

    def wake(self) -> None:
        """Count."""
        self.calls += 1


class Answer(Protocol):
    """A response of the test client; its JSON is there, as the tests say."""

    status_code: int
    content_type: str
    headers: Headers
    text: str
    json: Any


class Client(Protocol):
    """The test client, as far as the tests use it."""

    def open(self, *args: Any, **kwargs: Any) -> Answer:
        """Send a request."""
        ...

    def get(self, *args: Any, **kwargs: Any) -> Answer:
        """Send a GET."""
        ...

    def post(self, *args: Any, **kwargs: Any) -> Answer:
        """Send a POST."""
        ...


@dataclass
class World:
    """A payment-service on one database, with the scripted world around it."""

    app: Flask
    config: Config
    bank: ScriptedBank = field(default_factory=ScriptedBank)
    fraud: ScriptedFraud = field(default_factory=ScriptedFraud)
    waker: CountingWaker = field(default_factory=CountingWaker)

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
            rows = list(session.scalars(select(model).filter_by(**where).order_by(model.__table__.c.id)))
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
        """Return the outbox, but for the queues that every event goes to, unless one is named."""
        rows = self.all(OutboxMessage, **where)
        return rows if "queue" in where else [row for row in rows if row.queue not in EVENT_QUEUES]

    def change(self, work: Callable[[Session], T]) -> T:
        """Change rows behind the service's back."""
        with self.app.app_context():
            return db.in_transaction(work)

    def age(self, seconds: float, *, payment_id: int | None = None) -> None:
        """Let all movements, or those of one payment, have begun ``seconds`` earlier."""
        by = timedelta(seconds=seconds)

        def work(session: Session) -> None:
            for table in TABLES:
                _make_older(session, table, by, payment_id)

        self.change(work)

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
                raise _lost()

        with self._listening("commit", commit):
            yield

    @contextmanager
    def losing_database(self, *, after_units: int) -> Iterator[None]:
        """Let no unit of work begin any more after so many of them."""
        count = 0

        def begin(_connection: Connection) -> None:
            nonlocal count
            # The session of units of work; whoever only reads has one of its own.
            if db.session().in_transaction():
                count += 1
                if count > after_units:
                    raise _lost()

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


def _lost() -> OperationalError:
    return OperationalError("COMMIT", None, _DriverError(CONNECTION_LOST, "Lost connection to server"))


@contextmanager
def world_on(config: Config) -> Iterator[World]:
    """Put the service together on a migrated database, which is emptied and seeded first."""
    bank, fraud, waker = ScriptedBank(), ScriptedFraud(), CountingWaker()
    app = create_app(config, provider=bank, fraud=fraud, waker=waker)
    world = World(app, config, bank, fraud, waker)
    with app.app_context():
        db.in_transaction(_empty)
        seed_lab(world.dependencies)
        ensure_signing_key(world.dependencies)
    try:
        yield world
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def _empty(session: Session) -> None:
    # Whatever points to a row goes before it.
    for table in reversed(Base.metadata.sorted_tables):
        session.execute(delete(table))
