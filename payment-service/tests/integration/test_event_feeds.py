"""Our other services follow the events: all of them, in their order, whatever happens in between."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from payment_service.cli import main
from payment_service.commands.upkeep import deliver_events as module
from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.domain import told_events
from payment_service.domain.positions import EVENTS
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.models.position import EventPosition, Follower
from service_kit.clock import utc_now
from sqlalchemy import update

from tests.testkit.payments.access import open_shop
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.outside import Outside, deliver, make_due, told_by, worlds_with
from tests.testkit.payments.scripted.sales import decline
from tests.testkit.payments.world import World, Worlds


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
    worlds = worlds_with(_outside, migrated_url)
    yield worlds
    worlds.close()


@pytest.fixture
def world(worlds: Worlds, outside: Outside) -> Iterator[World]:
    with worlds.new() as world:
        yield world


@pytest.fixture
def run_cli(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setattr("payment_service.cli.console.create_app", lambda: world.app)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["outbox", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def paid(world: World, **changes: Any) -> int:
    payment_id = world.create(**changes)
    assert world.pay(payment_id).status_code == 200
    return payment_id


def sent(outside: Outside) -> list[dict[str, Any]]:
    """Return what notification-service was sent, item by item."""
    return [
        item for _, _, body in outside.received["/internal/events"] for item in json.loads(body)["events"]
    ]


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["event"]["id"] for item in items]


def in_order(world: World) -> list[str]:
    """Return the ids of all events in the order of their positions."""
    names = {event.id: event.public_id for event in world.all(PaymentEvent)}
    return [names[place.row_id] for place in world.all(EventPosition)]


def follower(world: World, name: str = "events") -> Follower:
    return world.all(Follower, name=name)[0]


def payments_told(outside: Outside) -> list[dict[str, Any]]:
    return [item["payment"] for item in sent(outside) if "payment" in item]


def test_all_events_go_to_notification_service_in_one_request_as_they_were_sealed(
    world: World, outside: Outside
) -> None:
    paid(world)

    deliver(world)

    ((method, headers, body),) = outside.received["/internal/events"]
    assert (method, headers["Authorization"]) == ("POST", "Bearer lab-service-token")
    lab_seeds = ["payment.created"] * 2
    types = [item["event"]["type"] for item in sent(outside)]
    assert types == [*lab_seeds, "payment.created", "payment.processing", "payment.completed"]
    assert [item["merchant_id"] for item in sent(outside)] == ["mer_lab"] * 5
    assert all(event.body.encode() in body for event in world.all(PaymentEvent))
    assert world.messages(queue="events") == []
    assert follower(world).position == 5


def test_what_was_told_is_not_told_again(world: World, outside: Outside) -> None:
    paid(world)
    for _ in range(3):
        make_due(world)
        deliver(world)
    paid(world)
    deliver(world)

    assert [len(json.loads(body)["events"]) for _, _, body in outside.received["/internal/events"]] == [5, 3]
    assert ids(sent(outside)) == in_order(world)


def test_who_paid_on_the_lab_surface_is_told_by_the_lab_s_address(world: World, outside: Outside) -> None:
    payment_id = paid(world, order_id=7, user_id=5)

    deliver(world)

    assert payments_told(outside) == [
        {
            "type": "payment_receipt",
            "locale": "fr",
            "recipient": {"email": None, "user_id": "5"},
            "payment_id": str(payment_id),
            "order_id": "7",
            "amount_minor": 399998,
            "currency": "MAD",
            "merchant": {
                "name": "Store Manager",
                "legal_name": "Store Manager SARL",
                "address": ["1, rue du Laboratoire", "20000 Casablanca", "Maroc"],
                "tax_number": "IF 00000001",
            },
            "line_items": [],
            "card": {"last4": "9999"},
            "authorization_code": "A00000",
        }
    ]


def test_the_payment_is_told_as_it_stands_when_it_is_told(world: World, outside: Outside) -> None:
    payment_id = paid(world)
    corrected = update(Payment).where(Payment.id == payment_id).values(receipt_email="other@example.org")
    world.change(lambda session: session.execute(corrected))

    deliver(world)

    assert [payment["recipient"]["email"] for payment in payments_told(outside)] == ["other@example.org"]
    assert all("other@example.org" not in event.body for event in world.all(PaymentEvent))


def test_who_gave_a_merchant_no_address_is_not_told(world: World, outside: Outside) -> None:
    assert open_shop(world).pay(world).status_code == 201

    deliver(world)

    assert "payment.completed" in [item["event"]["type"] for item in sent(outside)]
    assert payments_told(outside) == []


def test_of_a_hold_the_payer_is_told_what_was_taken(world: World, outside: Outside) -> None:
    shop = open_shop(world)
    customer = {"email": "payer@example.org", "locale": "en"}
    payment = shop.pay(world, amount=1000, capture_method="manual", customer=customer).json
    final = {"amount": 600, "final": True}
    assert shop.post(world, f"/v1/payments/{payment['id']}/capture", final).status_code == 200

    deliver(world)

    (told,) = payments_told(outside)
    assert (told["amount_minor"], told["locale"], told["payment_id"]) == (600, "en", payment["id"])
    assert told["recipient"]["email"] == "payer@example.org"
    assert told["card"]["last4"] == V1_CARD["number"][-4:]
    assert told["authorization_code"] is not None


def test_a_receipt_brings_what_was_bought_and_who_sold_it(world: World, outside: Outside) -> None:
    item = {"name": "Le Petit Prince", "quantity": 2, "unit_amount": 500, "tax_amount": 167, "tax_rate": "20"}
    shop = open_shop(world)
    shop.pay(world, amount=1000, customer={"email": "payer@example.org"}, line_items=[item])

    deliver(world)

    (told,) = payments_told(outside)
    assert told["line_items"] == [item]
    assert told["merchant"] == {
        "name": "Librairie Atlas",
        "legal_name": "Librairie Atlas SARL",
        "address": ["2, rue du Port", "Rabat"],
        "tax_number": "IF 12345678",
    }


def test_fraud_service_hears_what_was_captured_and_what_was_declined(world: World, outside: Outside) -> None:
    payment_id = paid(world)
    world.bank.script = [decline("lost_card")]
    declined_id = world.create()
    world.pay(declined_id)

    deliver(world)

    ((_, headers, body),) = outside.received["/internal/outcomes"]
    assert headers["Authorization"] == "Bearer lab-service-token"
    payment = world.payment(payment_id)
    completed = world.all(PaymentEvent, payment_id=payment_id, type="payment.completed")[0]
    captured, declined = json.loads(body)["outcomes"]
    assert captured == {
        "event_id": completed.public_id,
        "kind": "captured",
        "merchant_id": "mer_lab",
        "payment_id": payment.public_id,
        "attempt_id": world.attempt(payment_id).public_id,
        "card_fingerprint": None,
        "amount_minor": 399998,
        "currency": "MAD",
        "decline_code": None,
        "occurred_at": json.loads(completed.body)["at"],
    }
    assert declined["attempt_id"] == world.attempt(declined_id).public_id
    assert (declined["kind"], declined["decline_code"], declined["amount_minor"]) == (
        *("declined", "lost_card"),
        None,
    )
    assert follower(world, "fraud_outcomes").position == len(world.all(EventPosition))


@pytest.mark.parametrize("answer", [(503, b""), (500, b""), (404, b""), (401, b""), (405, b"")])
def test_events_wait_in_their_order_for_a_service_that_is_away(
    world: World, outside: Outside, answer: tuple[int, bytes]
) -> None:
    paid(world)
    outside.script["/internal/events"] = [answer] * 7

    for _ in range(7):
        deliver(world)
        make_due(world)
    waiting = follower(world)
    paid(world)
    deliver(world)

    assert (waiting.position, waiting.tries, waiting.last_error) == (0, 7, f"HTTP {answer[0]}")
    assert world.messages(queue="events") == []
    assert ids(sent(outside)[-8:]) == in_order(world)
    assert (follower(world).tries, follower(world).last_error) == (0, None)
    assert len(outside.received["/internal/outcomes"]) == 2


def test_after_a_failure_it_pauses(world: World, outside: Outside) -> None:
    paid(world)
    outside.script["/internal/events"] = [(503, b"")]

    deliver(world)
    deliver(world)

    assert len(outside.received["/internal/events"]) == 1
    pause = follower(world).next_try_at - utc_now()
    assert timedelta(0) < pause < timedelta(seconds=0.3)


def test_operators_hear_of_the_first_failure_of_an_hour_of_them_and_of_the_end(
    world: World, outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = world.payment(paid(world))
    deliver(world)
    paid(world)

    def told() -> list[dict[str, Any]]:
        lines = map(json.loads, capsys.readouterr().out.splitlines())
        return [line for line in lines if line["event"] in {"job_failing", "job_recovered"}]

    def fail() -> None:
        outside.script["/internal/events"] = [(500, b"")]
        make_due(world)
        deliver(world)

    fail()
    (first,) = told()
    for _ in range(6):
        fail()
    assert told() == []
    an_hour_ago = update(Follower).values(failing_since=utc_now() - timedelta(hours=1))
    world.change(lambda session: session.execute(an_hour_ago))
    fail()
    (after_an_hour,) = told()
    make_due(world)
    deliver(world)
    (recovered,) = told()

    for line in (first, after_an_hour, recovered):
        assert (line["level"], line["queue"]) == ("warning", "events")
        assert line["payment"] != payment.public_id
        assert line["event_id"].removeprefix("evt_").startswith(line["payment"].removeprefix("pay_"))
    assert (first["reason"], first["tries"], recovered["tries"]) == ("HTTP 500", 1, 9)


@pytest.mark.parametrize("bad", [0, 2, 4])
def test_an_event_that_a_service_refuses_is_set_aside_and_the_others_go_on(
    world: World, outside: Outside, run_cli: Callable[..., str], bad: int
) -> None:
    paid(world)
    name = world.all(PaymentEvent)[bad].public_id
    outside.never = [f'"{name}"'.encode()]

    for _ in range(5):
        make_due(world)
        deliver(world)

    taken = [
        item["event"]["id"]
        for _, _, body in outside.received["/internal/events"]
        if not any(word in body for word in outside.never)
        for item in json.loads(body)["events"]
    ]
    assert taken == [event for event in in_order(world) if event != name]
    assert follower(world).position == 5
    (aside,) = world.messages(queue="events")
    assert (aside.event_id, aside.status, aside.attempts) == (name, "dead", 5)
    assert f"events  {name}  {aside.payment_id}  order 1  dead  tries 5  " in run_cli("dead")
    outside.never = []
    run_cli("replay", "--all-dead")
    deliver(world)
    assert world.messages(queue="events")[0].status == "done"
    assert ids(sent(outside))[-1] == name


def test_many_events_that_a_service_refuses_do_not_keep_it_from_the_rest(
    world: World, outside: Outside
) -> None:
    for _ in range(10):
        paid(world)
    outside.never = [b'"payment.processing"']

    deliver(world)

    refused = [event.public_id for event in world.all(PaymentEvent, type="payment.processing")]
    assert sorted(message.event_id for message in world.messages(queue="events")) == sorted(refused)
    assert follower(world).position == len(world.all(PaymentEvent))


def test_an_event_that_brings_out_a_defect_of_ours_stops_no_other(
    world: World, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(world)
    compose = told_events._told_payment

    def fail(*_arguments: Any) -> Any:
        raise KeyError("amount_minor")

    monkeypatch.setattr(told_events, "_told_payment", fail)
    deliver(world)
    (aside,) = world.messages(queue="events")
    between = (aside.status, aside.last_error)
    monkeypatch.setattr(told_events, "_told_payment", compose)
    make_due(world)
    deliver(world)

    assert between == ("pending", "defect: KeyError")
    assert ids(sent(outside)) == in_order(world)
    assert [payment["type"] for payment in payments_told(outside)] == ["payment_receipt"]


def test_a_worker_that_dies_after_sending_is_followed_by_another(
    world: World, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(world)

    class Killed(BaseException):
        """The process is gone."""

    def die(*_arguments: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, "_standing", die)
        with pytest.raises(Killed):
            deliver(world)
    deliver(world)
    while_it_is_held = len(sent(outside))
    make_due(world)
    deliver(world)

    assert while_it_is_held == 5
    assert ids(sent(outside)) == in_order(world) * 2
    assert follower(world).position == 5


def test_who_lost_the_lease_moves_nothing(
    world: World, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(world)
    standing = module._standing

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(module, "_standing", standing)
        make_due(world)  # the lease has ended
        deliver(world)
        paid(world)
        return standing(*arguments)

    monkeypatch.setattr(module, "_standing", overtaken)
    deliver(world)
    deliver(world)

    assert follower(world).position == 8
    assert set(ids(sent(outside))) == set(in_order(world))
    assert len(outside.received["/internal/events"]) == 3


def test_notification_service_is_told_as_soon_as_events_have_positions(world: World) -> None:
    paid(world)
    loops = {loop.name: loop for loop in told_by(world)}

    loops["event_positions"].turn()

    assert [name for name, loop in loops.items() if loop.wake.is_set()] == ["events_feed"]


def test_two_workers_tell_each_event_once(world: World, outside: Outside) -> None:
    for _ in range(5):
        paid(world)
    with world.app.app_context():
        give_positions(EVENTS, world.dependencies)
    start = threading.Barrier(2)

    def work(_app: Flask) -> None:
        feed = next(loop for loop in told_by(world) if loop.name == "events_feed")
        start.wait(timeout=60)
        feed.turn()

    workers = [threading.Thread(target=work, args=(world.app,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert ids(sent(outside)) == in_order(world)


def test_an_operator_sees_how_far_each_destination_is(
    world: World, outside: Outside, run_cli: Callable[..., str]
) -> None:
    paid(world)
    outside.script["/internal/events"] = [(503, b"")]
    deliver(world)

    lines = run_cli("followers").splitlines()

    assert lines[0].startswith("events  position 0  behind 5  tries 1  since ")
    assert lines[0].endswith("  HTTP 503")
    assert lines[1] == "fraud_outcomes  position 5  behind 0"
