"""From the queue to a real mail server, or to files."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from notification_service.channels.port import Answer, Email
from notification_service.config import Config
from notification_service.extensions import db
from notification_service.models import Notification
from notification_service.values.vocabulary import Outcome
from service_kit.clock import utc_now
from sqlalchemy import event, update
from werkzeug.test import TestResponse

PATH = "/internal/notifications"
Tell = Callable[..., TestResponse]
State = Callable[..., dict[str, Any]]
Deliver = Callable[..., None]
Read = Callable[[bytes], EmailMessage]


def test_a_receipt_arrives_by_smtp(
    tell: Tell,
    body: dict[str, Any],
    smtp_config: Config,
    deliver_due: Deliver,
    mail_server: Any,
    state: State,
    read_mail: Read,
) -> None:
    tell(body)
    notification_id = state()["notification_id"]

    deliver_due(smtp_config)

    assert mail_server.recipients == ["payer@example.org"]
    mail = read_mail(mail_server.received[0])
    assert mail["To"] == "payer@example.org"
    assert mail["Subject"] == "Reçu de votre paiement de 3\u202f999,98\u00a0MAD à Store Manager"
    assert mail["Message-ID"] == f"<{notification_id}@caisse.example>"
    shown = state()
    assert shown["status"] == "sent"
    assert shown["next_attempt_at"] is None
    (attempt,) = shown["attempts"]
    assert (attempt["number"], attempt["channel"], attempt["result"]) == (1, "smtp", "sent")
    assert attempt["recipient"] == "payer@example.org"
    assert attempt["answer"] == "250 2.0.0 queued as [digits] for you"


def test_a_receipt_by_smtp_names_what_was_bought_and_who_sold_it(
    tell: Tell,
    body: dict[str, Any],
    smtp_config: Config,
    deliver_due: Deliver,
    mail_server: Any,
    read_mail: Read,
) -> None:
    item = {"name": "Thé\nvert", "quantity": 3, "unit_amount": 1000, "tax_amount": 500, "tax_rate": "20.5"}
    body["payment"] |= {"line_items": [item]}
    body["payment"]["merchant"] |= {"legal_name": "Thés SARL", "address": ["Rabat"], "tax_number": "IF 1"}
    tell(body)

    deliver_due(smtp_config)

    mail = read_mail(mail_server.received[0])
    for part in mail.iter_parts():
        text = part.get_content()
        for fact in (
            "Thé vert",
            "3 \u00d7 10,00\u00a0MAD = 30,00\u00a0MAD",
            "20,5\u00a0%",
            "Thés SARL",
            "Rabat",
            "IF 1",
        ):
            assert fact in text


def test_a_delivered_notification_is_not_delivered_again(
    tell: Tell,
    body: dict[str, Any],
    smtp_config: Config,
    deliver_due: Deliver,
    mail_server: Any,
    make_due: Callable[[], None],
) -> None:
    tell(body)
    deliver_due(smtp_config)

    tell(body)
    make_due()
    deliver_due(smtp_config)

    assert len(mail_server.received) == 1


@pytest.mark.parametrize(
    ("kind", "locale", "subject", "sentence"),
    [
        (
            "payment_receipt",
            "en",
            "Receipt for your payment of MAD\u00a03,999.98 to Café « Ω »",
            "has received your payment",
        ),
        (
            "payment_reversed",
            "fr",
            "Votre paiement de 3\u202f999,98\u00a0MAD à Café « Ω » vous est rendu",
            "vous est rendu en entier",
        ),
    ],
)
def test_without_a_server_letters_are_files_that_mail_programs_read(
    tell: Tell,
    body: dict[str, Any],
    config: Config,
    deliver_due: Deliver,
    state: State,
    read_mail: Read,
    kind: str,
    locale: str,
    subject: str,
    sentence: str,
) -> None:
    body["payment"] |= {"type": kind, "locale": locale}
    body["payment"]["merchant"]["name"] = "Café « Ω »"
    tell(body)
    notification_id = state()["notification_id"]

    deliver_due()

    (file,) = config.outbox_dir.iterdir()
    assert file.name == f"{notification_id}.eml"
    mail = read_mail(file.read_bytes())
    assert not mail.defects
    assert mail["Subject"] == subject
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert sentence in text.get_content()
    assert sentence in html.get_content()
    assert state()["attempts"][0]["channel"] == "eml_files"


def test_while_the_server_is_down_the_email_waits(
    tell: Tell,
    body: dict[str, Any],
    smtp_config: Config,
    deliver_due: Deliver,
    make_due: Callable[[], None],
    mail_server: Any,
    state: State,
) -> None:
    tell(body)
    mail_server.stop()
    deliver_due(smtp_config)
    waiting = state()

    deliver_due(smtp_config)
    unchanged = state()
    mail_server.start()
    make_due()
    deliver_due(smtp_config)

    assert waiting["status"] == "queued"
    assert waiting["next_attempt_at"] > waiting["attempts"][0]["attempted_at"]
    assert waiting["attempts"][0]["result"] == "failed"
    assert waiting["attempts"][0]["answer"].startswith("ConnectionRefusedError")
    assert unchanged == waiting
    delivered = state()
    assert delivered["status"] == "sent"
    assert [attempt["result"] for attempt in delivered["attempts"]] == ["failed", "sent"]
    assert len(mail_server.received) == 1


def test_a_mailbox_that_is_refused_for_good_is_given_up_after_five_tries(
    tell: Tell,
    body: dict[str, Any],
    smtp_config: Config,
    deliver_due: Deliver,
    make_due: Callable[[], None],
    mail_server: Any,
    state: State,
) -> None:
    mail_server.answers = ["550 5.1.1 no such user"] * 9
    tell(body)

    for _ in range(6):
        deliver_due(smtp_config)
        make_due()

    shown = state()
    assert shown["status"] == "dead"
    assert [attempt["answer"] for attempt in shown["attempts"]] == ["550 5.1.1 no such user"] * 5
    assert {attempt["result"] for attempt in shown["attempts"]} == {"refused"}


def test_a_greylisted_email_is_tried_again_for_long(
    tell: Tell,
    body: dict[str, Any],
    smtp_config: Config,
    deliver_due: Deliver,
    make_due: Callable[[], None],
    mail_server: Any,
    state: State,
) -> None:
    mail_server.answers = ["451 4.7.1 try again later"] * 6
    tell(body)

    for _ in range(7):
        deliver_due(smtp_config)
        make_due()

    shown = state()
    assert shown["status"] == "sent"
    assert [attempt["result"] for attempt in shown["attempts"]] == ["failed"] * 6 + ["sent"]


def test_what_failed_for_a_week_is_given_up(
    app: Flask,
    tell: Tell,
    body: dict[str, Any],
    smtp_config: Config,
    deliver_due: Deliver,
    mail_server: Any,
    state: State,
) -> None:
    tell(body)
    mail_server.stop()
    with app.app_context():
        long_ago = update(Notification).values(created_at=utc_now() - timedelta(days=7, seconds=1))
        db.in_transaction(lambda session: session.execute(long_ago))

    deliver_due(smtp_config)

    assert state()["status"] == "dead"


class BrokenChannel:
    """A channel with a defect."""

    name = "broken"

    def send(self, email: Email) -> Answer:
        raise ZeroDivisionError(email.id)


def test_a_defect_of_ours_is_logged_and_tried_again(
    tell: Tell,
    body: dict[str, Any],
    deliver_due: Deliver,
    make_due: Callable[[], None],
    state: State,
) -> None:
    tell(body)
    deliver_due(channel=BrokenChannel())
    make_due()

    deliver_due()

    shown = state()
    assert shown["status"] == "sent"
    assert shown["attempts"][0]["answer"] == "defect: ZeroDivisionError"


class ReadingChannel:
    """A channel that looks whether a transaction is open while it sends."""

    name = "reading"

    def __init__(self) -> None:
        self.was_in_transaction: list[bool] = []

    def send(self, email: Email) -> Answer:
        self.was_in_transaction.append(db.session().in_transaction())
        return Answer(Outcome.SENT, "ok")


def test_no_transaction_is_open_while_an_email_is_sent(
    tell: Tell, body: dict[str, Any], deliver_due: Deliver
) -> None:
    channel = ReadingChannel()
    tell(body)

    deliver_due(channel=channel)

    assert channel.was_in_transaction == [False]


def test_two_workers_share_the_queue(
    tell: Tell,
    app: Flask,
    client: FlaskClient,
    changed: Callable[[str, Any], dict[str, Any]],
    config: Config,
    deliver_due: Deliver,
) -> None:
    for number in range(20):
        tell(changed("event.id", f"evt_{number}"))

    def deliver_all() -> None:
        for _ in range(4):
            deliver_due()

    workers = [threading.Thread(target=deliver_all) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(list(config.outbox_dir.glob("*.eml"))) == 20
    for number in range(20):
        shown = client.get(f"{PATH}/evt_{number}").get_json()
        assert (shown["status"], len(shown["attempts"])) == ("sent", 1)


def test_a_delivery_takes_five_statements_at_most(
    app: Flask, tell: Tell, body: dict[str, Any], deliver_due: Deliver
) -> None:
    tell(body)
    statements: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    deliver_due()

    verbs = [statement.split()[0] for statement in statements if not statement.startswith("BEGIN")]
    assert verbs[-2:] == ["UPDATE", "INSERT"]
    assert len(verbs) <= 5


def test_a_lost_lease_leaves_the_row_to_its_new_holder(
    app: Flask, tell: Tell, body: dict[str, Any], config: Config, deliver_due: Deliver, state: State
) -> None:
    tell(body)

    class LosesItsLease:
        name = "slow"

        def send(self, email: Email) -> Answer:
            other = update(Notification).values(lease_id="somebody else")
            db.in_transaction(lambda session: session.execute(other))
            return Answer(Outcome.SENT, "ok")

    deliver_due(replace(config), LosesItsLease())

    shown = state()
    assert shown["status"] == "queued"
    assert [attempt["channel"] for attempt in shown["attempts"]] == ["slow"]
