"""What the tests of this service share: a migrated database, a real mail server, requests."""

import copy
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask
from flask.testing import FlaskClient
from notification_service.app import create_app
from notification_service.channels.port import Channel
from notification_service.config import Config
from notification_service.extensions import db
from notification_service.models import Base, Notification
from notification_service.values.smtp_server import SmtpServer
from notification_service.worker import delivery_loop
from service_kit.clock import utc_now
from service_kit.db import migrations
from sqlalchemy import update
from werkzeug.test import TestResponse

from tests.testkit.databases.empty_tables import empty_tables
from tests.testkit.databases.plugin import DatabaseUrlFactory
from tests.testkit.fake_clock import FakeClock

MIGRATIONS = Path(__file__).parents[1] / "migrations"
AUTHORIZED = {"Authorization": "Bearer lab-service-token"}
PATH = "/internal/events"
REQUEST: dict[str, Any] = {
    "merchant_id": "mer_lab",
    "event": {
        "id": "evt_1",
        "type": "payment.completed",
        "version": 1,
        "payment": "pay_1",
        "sequence": 3,
        "at": "2026-11-21T09:05:00.000Z",
        "actor": "payer",
        "data": {"amount_minor": 399998, "currency": "MAD"},
    },
    "payment": {
        "type": "payment_receipt",
        "locale": "fr",
        "recipient": {"email": "payer@example.org", "user_id": "1"},
        "payment_id": "3",
        "order_id": "1",
        "amount_minor": 399998,
        "currency": "MAD",
        "merchant": {"name": "Store Manager"},
        "card": {"last4": "9999"},
        "authorization_code": "A1B2C3",
    },
}


@dataclass
class MailServer:
    """A real SMTP server; ``answers`` are given one by one to RCPT, then everybody is welcome."""

    received: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    on_data: Callable[[], None] = lambda: None
    port: int = 0
    _controller: Controller | None = None

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answers and not (answer := self.answers.pop(0)).startswith("250"):
            return answer
        envelope.rcpt_tos.append(address)
        self.recipients.append(address)
        return "250 welcome"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.received.append(content)
        self.on_data()
        return "250 2.0.0 queued as 4111111111111111 for you"

    def start(self) -> None:
        if self.port == 0:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=60)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """No pause ends, and no lease, because the machine is busy."""
    with FakeClock().running():
        yield


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_url(database_url_factory: DatabaseUrlFactory) -> str:
    url = database_url_factory("notifications")
    migrations.upgrade(url, MIGRATIONS)
    return url


@pytest.fixture
def config(migrated_url: str, tmp_path: Path) -> Config:
    """Settings for a database of which all tables are empty."""
    empty_tables(migrated_url, Base.metadata)
    return replace(
        Config.from_env(),
        database_url=migrated_url,
        outbox_dir=tmp_path / "mail",
        worker_wake_address="127.0.0.1:9",
    )


@pytest.fixture
def smtp_config(config: Config, mail_server: MailServer) -> Config:
    return replace(config, smtp=SmtpServer("127.0.0.1", mail_server.port, timeout_s=60))


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    app = create_app(config)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = AUTHORIZED["Authorization"]
    return client


@pytest.fixture
def deliver_due(app: Flask, config: Config) -> Callable[..., None]:
    """Do what the worker does in one turn, and wait until it is done."""

    def deliver(config: Config = config, channel: Channel | None = None) -> None:
        loop = delivery_loop(app, config, channel=channel)
        loop.turn()
        loop.close()

    return deliver


@pytest.fixture
def make_due(app: Flask) -> Callable[[], None]:
    """Let the pause before the next try be over."""

    def now() -> None:
        due_now = update(Notification).values(next_attempt_at=utc_now())
        with app.app_context():
            db.in_transaction(lambda session: session.execute(due_now))

    return now


@pytest.fixture
def changed() -> Callable[[str, Any], dict[str, Any]]:
    """Return a valid event with one member changed, named by its dotted path."""

    def change(path: str, value: Any) -> dict[str, Any]:
        request = copy.deepcopy(REQUEST)
        *way, last = path.split(".")
        inner = request
        for name in way:
            inner = inner[name]
        inner[last] = value
        return request

    return change


@pytest.fixture
def body() -> dict[str, Any]:
    """Return a valid event, of which its payer is told."""
    return copy.deepcopy(REQUEST)


@pytest.fixture
def tell(client: FlaskClient) -> Callable[..., TestResponse]:
    """Send events as payment-service does."""
    return lambda *events: client.post(PATH, json={"events": events})


@pytest.fixture
def read_mail() -> Callable[[bytes], EmailMessage]:
    """Read a mail as a mail program does."""

    def read(content: bytes) -> EmailMessage:
        message = BytesParser(policy=default).parsebytes(content)
        assert isinstance(message, EmailMessage)
        return message

    return read


@pytest.fixture
def state(client: FlaskClient) -> Callable[..., dict[str, Any]]:
    """Ask the service where a notification stands."""

    def show(event_id: str = "evt_1") -> dict[str, Any]:
        answer = client.get(f"/internal/notifications/{event_id}")
        assert answer.status_code == 200
        shown = answer.json
        assert isinstance(shown, dict)
        return shown

    return show
