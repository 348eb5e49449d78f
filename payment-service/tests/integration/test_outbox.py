"""The outbox: written with the decision, delivered until the other side has it, and looked after by hand."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from payment_service.cli import main
from payment_service.commands.upkeep.deliver_outbox import RETRIES
from payment_service.extensions import db
from payment_service.models.message import OutboxMessage
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.worker import build_loops
from service_kit.clock import utc_now, utc_text
from service_kit.jobs.loops import BatchLoop, QueueLoop
from service_kit.jobs.queue import Done, LeasedQueue
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.testkit.payments.config import make_config
from tests.testkit.payments.scripted.sales import decline
from tests.testkit.payments.world import World, Worlds

UPDATED = (200, b'{"updated": true}')
NOT_UPDATED = (200, b'{"updated": false}')
PLACES = ("/orders", "/notify", "/internal/events", "/internal/outcomes")


class Outside:
    """The shop and our other services on one socket: each plays its script, then takes everything.

    A body with ``never`` in it is refused for good.
    """

    def __init__(self) -> None:
        self.reset()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                place = self.path if self.path in PLACES else "/notify"
                outside.received[place].append((self.command, dict(self.headers), body))
                default = UPDATED if place == "/orders" else (202, b'{"notification_id": "ntf_1"}')
                status, answer = outside.script[place].pop(0) if outside.script[place] else default
                if outside.never in body:
                    status, answer = 400, b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_PUT = do_POST = _handle  # noqa: N815  the base class's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def reset(self) -> None:
        self.received: dict[str, list[tuple[str, dict[str, str], bytes]]] = {place: [] for place in PLACES}
        self.script: dict[str, list[tuple[int, bytes]]] = {place: [] for place in PLACES}
        self.never = b"nothing has this in it"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def _outside() -> Iterator[Outside]:
    outside = Outside()
    yield outside
    outside.close()


@pytest.fixture
def outside(_outside: Outside) -> Outside:
    _outside.reset()
    return _outside


@pytest.fixture(scope="module")
def worlds(migrated_url: str, _outside: Outside) -> Iterator[Worlds]:
    worlds = Worlds(
        make_config(
            migrated_url,
            store_manager_orders_url=f"{_outside.address}/orders",
            notification_service_url=_outside.address,
            fraud_service_url=_outside.address,
        )
    )
    yield worlds
    worlds.close()


@pytest.fixture
def world(worlds: Worlds, outside: Outside) -> Iterator[World]:
    with worlds.new() as world:
        yield world


def deliver(world: World) -> None:
    """Do one turn of every delivery loop of the worker, and wait for what it began."""
    for loop in build_loops(world.app, world.config):
        if isinstance(loop, BatchLoop):
            loop.turn()
        if isinstance(loop, QueueLoop):
            loop.turn()
            loop.close()


def make_due(world: World) -> None:
    world.change(lambda session: session.execute(update(OutboxMessage).values(next_attempt_at=utc_now())))


def make_older(world: World, by: timedelta) -> None:
    def work(session: Session) -> None:
        for message in session.query(OutboxMessage):
            message.created_at -= by

    world.change(work)


def message_to(world: World, queue: str) -> OutboxMessage:
    (message,) = world.messages(queue=queue)
    return message


def paid(world: World, **changes: Any) -> int:
    payment_id = world.create(**changes)
    assert world.pay(payment_id).status_code == 200
    return payment_id


def test_a_payment_is_announced_in_the_transaction_that_completes_it(world: World) -> None:
    payment_id = paid(world, order_id=1)

    completed = world.all(PaymentEvent, payment_id=payment_id, type="payment.completed")[0]
    shop, customer = world.messages()
    assert (shop.queue, customer.queue) == ("store_manager", "notifications")
    assert shop.event_id == customer.event_id == completed.public_id
    assert shop.created_at == shop.next_attempt_at == completed.created_at
    assert shop.payload == f'{{"order_id":1,"is_paid":true,"payment_id":{payment_id}}}'


def test_nothing_is_announced_when_the_decision_is_not_stored(world: World) -> None:
    payment_id = world.create()

    with world.losing_commit(3, is_stored=False):
        world.pay(payment_id)

    assert world.messages() == []


def test_a_decline_announces_nothing(world: World) -> None:
    world.bank.script = [decline("lost_card")]

    world.pay(world.create())

    assert world.messages() == []


def test_a_message_is_unique_per_destination_and_event(world: World) -> None:
    paid(world)
    message = message_to(world, "store_manager")

    def again(session: Session) -> None:
        session.add(
            OutboxMessage(
                queue=message.queue,
                merchant_id=message.merchant_id,
                event_id=message.event_id,
                payload="{}",
                next_attempt_at=utc_now(),
                created_at=utc_now(),
            )
        )

    with pytest.raises(IntegrityError):
        world.change(again)


def test_the_shop_receives_exactly_what_it_understands(world: World, outside: Outside) -> None:
    payment_id = paid(world, order_id=1)

    deliver(world)

    ((method, headers, body),) = outside.received["/orders"]
    assert method == "PUT"
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers
    assert json.loads(body) == {"order_id": 1, "is_paid": True, "payment_id": payment_id}
    assert message_to(world, "store_manager").status == "done"


def test_the_customer_gets_a_receipt(world: World, outside: Outside) -> None:
    payment_id = paid(world, order_id=7, user_id=5)

    deliver(world)

    ((method, headers, body),) = outside.received["/notify"]
    assert (method, headers["Authorization"]) == ("POST", "Bearer lab-service-token")
    document = json.loads(body)
    occurred_at = document["data"].pop("occurred_at")
    assert occurred_at.endswith("Z")
    assert document == {
        "event_id": message_to(world, "notifications").event_id,
        "type": "payment_receipt",
        "locale": "fr",
        "recipient": {"email": None, "user_id": "5"},
        "data": {
            "payment_id": str(payment_id),
            "order_id": "7",
            "amount_minor": 399998,
            "currency": "MAD",
            "merchant": {"name": "Store Manager"},
            "card": {"last4": "9999"},
            "authorization_code": "A00000",
        },
    }


def test_what_is_delivered_is_not_sent_again(world: World, outside: Outside) -> None:
    paid(world)

    for _ in range(3):
        make_due(world)
        deliver(world)

    assert len(outside.received["/orders"]) == len(outside.received["/notify"]) == 1


@pytest.mark.parametrize(
    "answer",
    [
        NOT_UPDATED,
        (200, b'{"updated": "true"}'),
        (200, b"{}"),
        (200, b"[true]"),
        (200, b"updated"),
        (200, b""),
        (201, b'{"updated": true}'),
        (202, b'{"updated": true}'),
        (302, b""),
        (405, b""),
        (415, b""),
        (500, b'{"error": "Redis"}'),
        (503, b""),
        *((status, b"") for status in (404, 410, 422)),
    ],
)
def test_anything_but_200_and_updated_true_is_tried_again(
    world: World, outside: Outside, answer: tuple[int, bytes]
) -> None:
    paid(world)
    outside.script["/orders"] = [answer]

    deliver(world)
    between = message_to(world, "store_manager")
    make_due(world)
    deliver(world)

    assert (between.status, between.attempts) == ("pending", 1)
    assert between.last_error
    assert between.lease_id is None
    after = message_to(world, "store_manager")
    assert (after.status, after.attempts, after.last_error) == ("done", 2, None)
    assert len(outside.received["/orders"]) == 2


def fail(world: World, outside: Outside, answer: tuple[int, bytes], times: int) -> OutboxMessage:
    for _ in range(times):
        outside.script["/orders"] = [answer]
        make_due(world)
        deliver(world)
    return message_to(world, "store_manager")


@pytest.mark.parametrize("status", [404, 410, 422])
def test_a_shop_that_will_never_take_it_makes_a_dead_letter_of_the_fifth_try(
    world: World, outside: Outside, status: int
) -> None:
    paid(world)

    assert fail(world, outside, (status, b""), 4).status == "pending"
    assert fail(world, outside, (status, b""), 1).status == "dead"
    make_due(world)
    deliver(world)
    assert len(outside.received["/orders"]) == 5


@pytest.mark.parametrize("answer", [NOT_UPDATED, (500, b""), (405, b"")])
def test_a_message_is_given_up_after_a_week(
    world: World, outside: Outside, answer: tuple[int, bytes]
) -> None:
    paid(world)
    make_older(world, timedelta(days=7) - timedelta(minutes=10))
    almost = fail(world, outside, answer, 7).status  # more than refusals get
    make_older(world, timedelta(minutes=11))

    assert almost == "pending"
    assert fail(world, outside, answer, 1).status == "dead"


def test_a_shop_that_updates_nothing_is_asked_minutes_apart(world: World, outside: Outside) -> None:
    paid(world)

    message = fail(world, outside, NOT_UPDATED, 6)

    pause_s = (message.next_attempt_at - utc_now()).total_seconds()
    assert 0.75 * 300 < pause_s <= 1.2 * 300


def test_operators_hear_of_the_first_failure_of_an_hour_of_them_and_of_the_end(
    world: World, outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    payment_id = paid(world)
    payment = world.all(Payment, id=payment_id)[0]

    def told() -> list[dict[str, Any]]:
        lines = map(json.loads, capsys.readouterr().out.splitlines())
        return [line for line in lines if line["event"] in {"job_failing", "job_recovered"}]

    fail(world, outside, (500, b""), 1)
    (first,) = told()
    fail(world, outside, (500, b""), 6)
    assert told() == []
    make_older(world, timedelta(hours=1))
    fail(world, outside, (500, b""), 1)
    (after_an_hour,) = told()
    make_due(world)
    deliver(world)
    (recovered,) = told()

    for line in (first, after_an_hour, recovered):
        assert (line["level"], line["queue"]) == ("warning", "store_manager")
        assert (line["payment"], line["order"]) == (payment.public_id, payment.order_id)
    assert (first["reason"], first["tries"], recovered["tries"]) == ("HTTP 500", 1, 9)
    assert after_an_hour["age_s"] >= 3600


def test_a_shop_that_is_away_for_days_hears_of_it_in_the_end(world: World, outside: Outside) -> None:
    away = replace(world.config, store_manager_orders_url="http://127.0.0.1:1/orders")
    paid(world)
    for loop in build_loops(world.app, away):
        if isinstance(loop, QueueLoop):
            loop.turn()
            loop.close()
    make_older(world, timedelta(days=6))
    make_due(world)

    deliver(world)

    assert message_to(world, "store_manager").status == "done"
    assert len(outside.received["/orders"]) == 1


def test_a_slow_or_dead_destination_delays_no_other(world: World, outside: Outside) -> None:
    paid(world)
    outside.script["/orders"] = [(500, b"")]

    deliver(world)

    assert message_to(world, "notifications").status == "done"
    assert message_to(world, "store_manager").status == "pending"


def types_of(sent: list[dict[str, Any]]) -> list[str]:
    return [item["event"]["type"] for item in sent]


def test_all_events_go_to_notification_service_in_one_request_as_they_were_sealed(
    world: World, outside: Outside
) -> None:
    paid(world)

    deliver(world)

    ((method, headers, body),) = outside.received["/internal/events"]
    assert (method, headers["Authorization"]) == ("POST", "Bearer lab-service-token")
    sent = json.loads(body)["events"]
    lab_seeds = ["payment.created"] * 2
    assert types_of(sent) == [*lab_seeds, "payment.created", "payment.processing", "payment.completed"]
    stored = world.all(PaymentEvent)
    assert [item["merchant_id"] for item in sent] == ["mer_lab"] * 5
    assert all(event.body.encode() in body for event in stored)
    assert {message.status for message in world.messages(queue="events")} == {"done"}


def test_fraud_service_hears_what_was_captured(world: World, outside: Outside) -> None:
    payment_id = paid(world)
    world.bank.script = [decline("lost_card")]
    world.pay(world.create())

    deliver(world)

    ((_, headers, body),) = outside.received["/internal/outcomes"]
    assert headers["Authorization"] == "Bearer lab-service-token"
    payment = world.payment(payment_id)
    completed = world.all(PaymentEvent, payment_id=payment_id, type="payment.completed")[0]
    assert json.loads(body) == {
        "outcomes": [
            {
                "event_id": completed.public_id,
                "kind": "captured",
                "merchant_id": "mer_lab",
                "payment_id": payment.public_id,
                "attempt_id": world.attempt(payment_id).public_id,
                "card_fingerprint": None,
                "amount_minor": 399998,
                "currency": "MAD",
                "occurred_at": utc_text(completed.created_at),
            }
        ]
    }


def test_an_event_that_a_service_will_never_take_becomes_a_dead_letter_alone(
    world: World, outside: Outside, run_cli: Callable[..., str]
) -> None:
    paid(world)
    bad = world.messages(queue="events")[2].event_id
    outside.never = f'"{bad}"'.encode()

    for _ in range(5):
        make_due(world)
        deliver(world)

    statuses = {message.event_id: message.status for message in world.messages(queue="events")}
    assert statuses.pop(bad) == "dead"
    assert set(statuses.values()) == {"done"}
    payment = bad.replace("evt_", "pay_").rpartition("_")[0]
    assert f"events  {bad}  {payment}  order 1  dead  tries 5  " in run_cli("dead")
    outside.never = b"nothing has this in it"
    run_cli("replay", "--all-dead")
    deliver(world)
    assert {message.status for message in world.messages(queue="events")} == {"done"}


def test_events_wait_for_a_service_that_is_away(world: World, outside: Outside) -> None:
    paid(world)
    outside.script["/internal/events"] = [(503, b"")]

    deliver(world)
    between = world.messages(queue="events")
    make_due(world)
    deliver(world)

    assert {(message.status, message.last_error) for message in between} == {("pending", "HTTP 503")}
    first, second = (json.loads(body)["events"] for _, _, body in outside.received["/internal/events"])
    assert {item["event"]["id"] for item in first} == {item["event"]["id"] for item in second}
    assert {message.status for message in world.messages(queue="events")} == {"done"}


def queue_of(world: World, lease_s: float = 30.0) -> LeasedQueue[OutboxMessage]:
    return LeasedQueue(db, OutboxMessage, "store_manager", RETRIES, lease_s=lease_s)


def test_what_one_worker_holds_no_other_takes(world: World) -> None:
    for _ in range(5):
        paid(world)
    start = threading.Barrier(2)
    claimed: list[list[int]] = []

    def work(app: Flask) -> None:
        with app.app_context():
            queue = queue_of(world)
            start.wait(timeout=60)
            claimed.append([row.id for row in queue.claim(5)])

    workers = [threading.Thread(target=work, args=(world.app,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    ids = [row_id for ids in claimed for row_id in ids]
    assert len(ids) == len(set(ids))
    with world.app.app_context():
        rest = [row.id for row in queue_of(world).claim(5)]
    assert sorted(ids + rest) == [message.id for message in world.messages(queue="store_manager")]


def test_a_worker_that_dies_after_sending_is_followed_by_another(world: World, outside: Outside) -> None:
    paid(world)
    with world.app.app_context():
        (left,) = queue_of(world).claim(1)  # and the process is gone
    deliver(world)
    assert not outside.received["/orders"]

    end_of_lease = update(OutboxMessage).where(OutboxMessage.id == left.id).values(next_attempt_at=utc_now())
    world.change(lambda session: session.execute(end_of_lease))
    deliver(world)

    assert len(outside.received["/orders"]) == 1
    assert message_to(world, "store_manager").attempts == 2


def test_a_worker_whose_lease_ended_records_nothing(world: World) -> None:
    paid(world)
    with world.app.app_context():
        slow = queue_of(world, lease_s=0.0).claim(1)
    with world.app.app_context():
        quick = queue_of(world).claim(1)
    with world.app.app_context():
        queue_of(world).record(slow[0], Done())

    message = message_to(world, "store_manager")
    assert (message.status, message.lease_id) == ("pending", quick[0].lease_id)


def test_retries_come_as_the_specification_says() -> None:
    exact = replace(RETRIES, jitter=0.0)
    day_s = 86_400.0

    assert [exact.delay_s(tries, 1.0) for tries in range(1, 8)] == [0.2, 1, 2, 5, 15, 30, 30]
    assert exact.delay_s(3000, day_s - 1) == 30
    assert exact.delay_s(3000, day_s) == exact.delay_s(9000, 6 * day_s) == 600
    jittered = {RETRIES.delay_s(6, 1.0) for _ in range(50)}
    assert len(jittered) > 1
    assert all(24 <= delay_s <= 36 for delay_s in jittered)


@pytest.fixture
def run_cli(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setattr("payment_service.cli.console.create_app", lambda: world.app)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["outbox", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_an_operator_sees_dead_letters_and_sends_them_again(
    world: World, outside: Outside, run_cli: Callable[..., str]
) -> None:
    paid(world)
    dead = fail(world, outside, (404, b""), 5)
    listed = run_cli("dead")

    replayed = run_cli("replay", str(dead.id))
    deliver(world)

    assert f"{dead.id}  store_manager  {dead.event_id}  {dead.payment_id}  order 1  dead  tries 5" in listed
    assert "HTTP 404" in listed
    assert replayed == "1 message(s) will be sent again now.\n"
    assert message_to(world, "store_manager").status == "done"
    assert run_cli("dead") == "There are none.\n"


def test_replaying_all_dead_letters_sends_nothing_that_arrived(
    world: World, outside: Outside, run_cli: Callable[..., str]
) -> None:
    paid(world)
    fail(world, outside, (404, b""), 5)

    assert run_cli("replay", "--all-dead") == "1 message(s) will be sent again now.\n"
    deliver(world)
    delivered = message_to(world, "store_manager")
    nothing = "0 message(s) will be sent again now.\nThe others do not exist, or were delivered.\n"
    assert run_cli("replay", str(delivered.id), "9999") == nothing
    deliver(world)
    assert len(outside.received["/orders"]) == 6
    assert len(outside.received["/notify"]) == 1


def test_messages_are_listed_by_their_status(world: World, run_cli: Callable[..., str]) -> None:
    paid(world)

    count = len(world.all(OutboxMessage))
    assert len(run_cli("list").splitlines()) == count
    assert len(run_cli("list", "--limit", "1").splitlines()) == 1
    assert len(run_cli("list", "--status", "pending").splitlines()) == count
    assert run_cli("list", "--status", "done") == "There are none.\n"


@pytest.mark.parametrize("arguments", [["replay"], ["replay", "1", "--all-dead"]])
def test_replay_wants_ids_or_all(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["outbox", *arguments])

    assert result.exit_code == 2
    assert "Give message ids, or --all-dead." in result.output
