"""A payment-service and the real bank-simulator in one process, each on a database of its own."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import bank_simulator.app
import bank_simulator.extensions
from bank_simulator.commands.end_overdue import end_all_overdue
from bank_simulator.commands.issue_cards import issue_cards
from bank_simulator.config import Config as BankConfig
from bank_simulator.controllers.request import EXTENSION as BANK
from bank_simulator.domain.accounts import KNOWN as KNOWN_ACCOUNTS
from bank_simulator.models import Account, ArrivalCount, Entry, NetworkRequest, StoredFaultPlan, WebhookEvent
from bank_simulator.models import Dispute as BankDispute
from bank_simulator.values.issued_cards import TEST_CARDS
from flask import Flask
from payment_service.app import create_app
from payment_service.clients.deliveries import BatchClient, StoreManagerClient
from payment_service.commands.access.api_clients import ClientCredentials
from payment_service.commands.access.rotate_signing_keys import ensure_signing_key
from payment_service.commands.upkeep.deliver_events import deliver_events, event_feeds
from payment_service.commands.upkeep.deliver_outbox import deliveries
from payment_service.commands.upkeep.expire_payments import expire_payments
from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.commands.upkeep.prune import prune_idempotency_keys
from payment_service.commands.upkeep.replay import replay_inbox, replay_messages
from payment_service.commands.upkeep.run_janitor import run_janitor
from payment_service.commands.upkeep.seed_lab import seed_lab
from payment_service.commands.webhooks.settle_inbox import inboxes
from payment_service.config import TimeLimits
from payment_service.domain.merchant_directory import MerchantDirectory
from payment_service.domain.positions import EVENTS
from payment_service.extensions import db
from payment_service.models.base import Base
from payment_service.providers.bank_simulator import BankSimulator
from payment_service.values.statuses import FraudDecision
from service_kit.db import migrations
from service_kit.jobs.queue import Failed, LeasedQueue, LeasedRow, Result
from sqlalchemy import Engine, delete, event, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.model.cards import Judgement
from tests.model.receivers import Receivers
from tests.model.replay_clock import START, ReplayClock
from tests.model.storage import Storage
from tests.model.wire import Moment, Wire, call
from tests.testkit.payments.access import Shop, bearer, new_client
from tests.testkit.payments.config import make_config
from tests.testkit.payments.scripted.services import CountingWaker, ScriptedFraud
from tests.testkit.payments.webhooks import ADDRESS, signed
from tests.testkit.payments.world import World

Row = TypeVar("Row", bound=LeasedRow)

MERCHANT = "mer_lab"
# Whoever these name is there in every sequence; everything else is emptied before each.
KEPT = frozenset({"merchants", "api_clients", "signing_keys"})
TOKEN_GOOD_FOR = timedelta(minutes=10)
_bank_db = bank_simulator.extensions.db
_BANK_TABLES = (WebhookEvent, Entry, BankDispute, NetworkRequest, Account, ArrivalCount, StoredFaultPlan)
LOG_LEVEL = "CRITICAL"  # everything that can go wrong does


@dataclass(frozen=True)
class BankEvent:
    """A webhook that the bank wants to send."""

    event_id: str
    body: str


@dataclass
class SystemUnderTest:
    """Where a sequence takes place."""

    world: World
    bank: Flask
    wire: Wire
    storage: Storage
    bank_storage: Storage
    post: Receivers
    clock: ReplayClock
    # How often each operation came to what, and what befell whom, over all sequences.
    seen: Counter[str]
    credentials: ClientCredentials
    _shop: Shop | None = None
    _token_until: datetime = START
    _told: set[str] = field(default_factory=set)

    def restart(self) -> None:
        """Forget everything but merchants and cards."""
        self.clock.restart()
        self.calm()
        self.wire.money_calls = 0
        self.world.fraud.script.clear()
        self.world.fraud.requests.clear()
        self.post.received.clear()
        self._told.clear()
        self.world.change(_empty)
        with self.bank.app_context():
            _bank_db.in_transaction(_empty_bank)
        # The simulator reads these once, and they are gone.
        self.bank.extensions[KNOWN_ACCOUNTS].clear()
        self._shop = None

    def calm(self) -> None:
        """Let nothing befall anybody any more."""
        self.wire.calm()
        self.storage.losses.clear()
        self.post.calm()
        self.ask_bank("DELETE", "/admin/faults")

    @property
    def commits(self) -> int:
        """How often anything was stored, here or at the bank: while it stays the same, so does everything."""
        return self.storage.commits + self.bank_storage.commits

    @property
    def has_surprises(self) -> bool:
        """Whether a COMMIT may be lost, or others may come between, so that much can happen."""
        return bool(any(self.storage.losses) or self.wire.meanwhile)

    @property
    def shop(self) -> Shop:
        """A merchant's server with a token that is good."""
        if self._shop is None or self._token_until < self.clock.now():
            self._token_until = self.clock.now() + TOKEN_GOOD_FOR
            self._shop = Shop(MERCHANT, self.credentials, bearer(self.world, self.credentials))
        return self._shop

    def pass_time(self, seconds: float) -> None:
        """Let time pass, here and at the bank, which ends what is overdue."""
        self.clock.advance(seconds)
        with self.bank.app_context():
            end_all_overdue(self.bank.extensions[BANK].settings, 100)

    def judge(self, judgement: Judgement) -> None:
        """Let this be what fraud-service says next."""
        decision = None if judgement is Judgement.SILENT else FraudDecision(judgement.value)
        self.world.fraud.script[:] = [decision]

    def ask_bank(self, method: str, path: str, body: Any = None) -> TestResponse:
        """Send the bank a request of ours; nothing befalls it."""
        return call(self.bank, method, path, body)

    def answer_challenge(self, acs_token: str, **form: str) -> None:
        """Do as the cardholder does on the bank's page."""
        self.bank.test_client().post(f"/acs/{acs_token}", data=form)

    def bank_events(self) -> list[BankEvent]:
        """Return the webhooks that the bank has still to deliver, oldest first."""
        with self.bank.app_context(), _bank_db.reading() as session:
            rows = session.execute(
                select(WebhookEvent.event_id, WebhookEvent.body).order_by(WebhookEvent.id)
            ).all()
        return [BankEvent(*row) for row in rows if row.event_id not in self._told]

    def deliver(self, event: BankEvent) -> int:
        """Send one webhook, as the bank signs it; return the status of the answer."""
        body = event.body.encode()
        answer = self.world.client.post(ADDRESS, data=body, headers=signed(body, event.event_id))
        if answer.status_code == 202:
            self._told.add(event.event_id)
        return answer.status_code

    def work_inbox(self) -> None:
        """Do one turn of the worker over the bank's events that are due."""
        with self.world.app.app_context():
            for inbox in inboxes(self.world.dependencies):
                _work_queue(inbox.queue, inbox.settle)

    def work_outbox(self) -> None:
        """Do one turn of the worker over the messages and events that are due."""
        events = BatchClient(self.post.letters, "/internal/events", "events")
        outcomes = BatchClient(self.post.outcomes, "/internal/outcomes", "outcomes")
        feeds = event_feeds(events, outcomes, MerchantDirectory())
        with self.world.app.app_context():
            give_positions(EVENTS, self.world.dependencies)
            for feed in feeds:
                deliver_events(feed)
            for each in deliveries(StoreManagerClient(self.post.shop), feeds):
                _work_queue(each.queue, each.deliver)

    def replay_outbox(self) -> None:
        """Do as an operator who was told that messages were given up."""
        with self.world.app.app_context():
            replay_messages(None)

    def prune_keys(self) -> None:
        """Do one turn of the pruning."""
        with self.world.app.app_context():
            prune_idempotency_keys(self.world.dependencies)

    def replay_inbox(self) -> None:
        """Do as an operator who was told that events of the bank were given up."""
        with self.world.app.app_context():
            replay_inbox(None)

    def work_janitor(self) -> None:
        """Do one turn of the janitor."""
        with self.world.app.app_context():
            run_janitor(self.world.dependencies, limit=50)

    def work_expiry(self) -> None:
        """Do one turn of the expiry."""
        with self.world.app.app_context():
            expire_payments(self.world.dependencies, limit=100)


@contextmanager
def open_system(database_url: str, folder: Path) -> Iterator[SystemUnderTest]:
    """Put both services together: payment-service on ``database_url``, the bank on SQLite in ``folder``."""
    clock = ReplayClock()
    bank_config = replace(
        BankConfig.from_env(), database_url=f"sqlite:///{folder}/bank.db", log_level=LOG_LEVEL
    )
    # The service's own limits: the clock is held, so none of them passes by itself. One thread plays
    # everybody, so nobody may wait for another.
    config = make_config(database_url, log_level=LOG_LEVEL, limits=TimeLimits(repeat_wait_s=0.0))
    migrations.upgrade(bank_config.database_url, bank_config.migrations_dir)
    migrations.upgrade(database_url, config.migrations_dir)
    with clock.running():
        bank = bank_simulator.app.create_app(bank_config)
        with bank.app_context():
            issue_cards(TEST_CARDS, bank_config.card_key)
        seen: Counter[str] = Counter()
        wire, post = Wire(bank, seen), Receivers(seen)
        fraud, waker = ScriptedFraud(), CountingWaker()
        fraud.meanwhile = lambda: wire.reach(Moment.JUDGING)
        app = create_app(config, provider=BankSimulator(wire), fraud=fraud, waker=waker)
        world = World(app, config, fraud=fraud, waker=waker)
        with app.app_context():
            seed_lab(world.dependencies)
            ensure_signing_key(world.dependencies)
        for service, its_db in ((app, db), (bank, _bank_db)):
            with service.app_context():
                _never_wait_for_the_disk(its_db.engine)
        with app.app_context():
            storage = Storage(db.engine, seen)
        with bank.app_context():
            bank_storage = Storage(_bank_db.engine, seen)
        credentials = new_client(world, MERCHANT)
        try:
            yield SystemUnderTest(world, bank, wire, storage, bank_storage, post, clock, seen, credentials)
        finally:
            _dispose(app, bank)


def _work_queue(queue: LeasedQueue[Row], do: Callable[[Row], Result]) -> None:
    """Do each job that is due, as the worker's loop does: one that fails comes again."""
    for row in queue.claim(100):
        try:
            result = do(row)
        except Exception as exc:  # noqa: BLE001  the worker's loop lives on, whatever it was
            result = Failed(f"defect: {type(exc).__name__}")
        queue.record(row, result)


def _dispose(app: Flask, bank: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    with bank.app_context():
        _bank_db.session.remove()
        _bank_db.engine.dispose()


def _never_wait_for_the_disk(engine: Engine) -> None:
    """Let SQLite keep commits in memory: here processes die, machines do not."""
    if engine.dialect.name != "sqlite":
        return

    def hurry(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF").close()

    engine.dispose()
    event.listen(engine, "connect", hurry)


def _empty(session: Session) -> None:
    for table in reversed(Base.metadata.sorted_tables):
        if table.name not in KEPT:
            session.execute(delete(table))


def _empty_bank(session: Session) -> None:
    for table in _BANK_TABLES:
        session.execute(delete(table))
