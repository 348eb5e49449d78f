"""What the bank tells us of its own accord: verified, stored once, and settled by asking."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from click.testing import CliRunner
from payment_service.cli import main
from payment_service.commands.webhooks.settle_inbox import settle_message
from payment_service.config import LAB_WEBHOOK_SECRET, Config
from payment_service.models.message import InboxMessage, OutboxMessage
from payment_service.models.movement import Capture, PaymentAttempt, Refund, Void
from payment_service.models.payment import PaymentEvent
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.values.statuses import MovementState
from payment_service.worker import build_loops
from service_kit.clock import utc_now
from service_kit.jobs.loops import QueueLoop
from service_kit.jobs.queue import Done, Failed, JobStatus

from tests.testkit.payments.client import Answer
from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.scripted.sales import lose_request
from tests.testkit.payments.webhooks import (
    ADDRESS,
    event_body,
    make_due,
    outcomes,
    send,
    settle_inbox,
    signed,
)
from tests.testkit.payments.world import World, world_on

OTHER_SECRET = "whsec_b3RoZXItYmFuay13ZWJob29rLXNlY3JldC0zMmJ5dGU="
BODY = event_body("payment.updated", request_id="att_1", status="approved", amount_minor=1, currency="MAD")


def news(attempt: PaymentAttempt, status: str = "approved", **changes: Any) -> bytes:
    data = {
        "request_id": attempt.public_id,
        "status": status,
        "amount_minor": attempt.amount_minor,
        "currency": attempt.currency,
    }
    return event_body("payment.updated", **{**data, **changes})


def open_attempt(world: World) -> PaymentAttempt:
    """A sale that the bank carries out late: the money is taken, and we do not know."""
    world.bank.script = [lose_request]
    payment_id = world.create()
    assert world.pay(payment_id).status_code == 202
    attempt = world.attempt(payment_id)
    world.bank.remember(attempt.public_id, ProviderResult(Outcome.APPROVED))
    return attempt


def event_types(world: World) -> list[str]:
    return [event.type for event in world.all(PaymentEvent)]


def test_a_signed_event_is_stored_and_the_worker_woken(world: World) -> None:
    answer = world.client.post(ADDRESS, data=BODY, headers=signed(BODY))

    (message,) = world.all(InboxMessage)
    assert (answer.status_code, answer.json) == (202, {"received": True})
    assert (message.queue, message.event_id, message.body) == ("bank-simulator", "evt_1", BODY.decode())
    assert world.waker.calls == 1


def test_an_event_that_comes_again_is_thanked_for_and_kept_once(world: World) -> None:
    answers = [world.client.post(ADDRESS, data=BODY, headers=signed(BODY)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len(world.all(InboxMessage)) == 1
    assert world.waker.calls == 1


def test_ids_of_events_differ_by_case(world: World) -> None:
    for event_id in ("evt_a", "evt_A"):
        send(world, event_id, BODY)

    assert len(world.all(InboxMessage)) == 2


def forged() -> Iterator[tuple[str, dict[str, str], bytes]]:
    good, now = signed(BODY), utc_now()
    yield "no headers", {}, BODY
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        yield f"no {name}", {key: value for key, value in good.items() if key != name}, BODY
        yield f"empty {name}", {**good, name: ""}, BODY
    yield "another body", good, BODY.replace(b"approved", b"declined")
    yield "a blank more", good, BODY + b" "
    yield "another id", {**good, "webhook-id": "evt_2"}, BODY
    yield "another time", {**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)}, BODY
    yield "another secret", signed(BODY, secret=OTHER_SECRET), BODY
    yield "too old", signed(BODY, at=now - timedelta(minutes=5, seconds=2)), BODY
    # So far ahead that it is still too new when it is read: the library looks at the clock of the machine.
    yield "too new", signed(BODY, at=now + timedelta(minutes=10)), BODY
    for time in ("nan", "inf", "-1", "1e400", "now", "9" * 400):
        yield f"time {time[:9]}", {**good, "webhook-timestamp": time}, BODY
    for signature in ("v1", "v1,", "v1,,", ",", "v1,%%%", "v1,é", "v2," + good["webhook-signature"][3:],
                      good["webhook-signature"][:-2], "v1," + "A" * 43 + "="):  # fmt: skip
        yield f"signature {signature[:9]}", {**good, "webhook-signature": signature}, BODY
    yield "not UTF-8", good, b"\xff" + BODY


@pytest.mark.engines("sqlite")
def test_what_the_bank_did_not_sign_lately_is_refused(world: World) -> None:
    # Made here and not as parameters: they are signed now, so that nothing but the forgery is wrong.
    for name, headers, body in forged():
        answer = world.client.post(ADDRESS, data=body, headers=headers)

        assert (answer.status_code, answer.json["code"]) == (401, "webhook_not_verified"), name
        assert "WWW-Authenticate" in answer.headers
    assert world.client.post(ADDRESS, data=BODY, headers=signed(BODY, "evt_good")).status_code == 202
    assert len(world.all(InboxMessage)) == 1


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1,1", b'{"a":1,"a":2}', b'"' + b"x" * 20_480 + b'"'], ids=lambda body: body[:8]
)
def test_what_is_signed_but_no_event_is_refused(world: World, body: bytes) -> None:
    answer = world.client.post(ADDRESS, data=body, headers=signed(body))

    assert answer.status_code == 400
    assert world.all(InboxMessage) == []


@pytest.mark.engines("sqlite")
def test_an_id_that_is_none_is_refused(world: World) -> None:
    for event_id in ("a b", "e" * 129):
        answer = world.client.post(ADDRESS, data=BODY, headers=signed(BODY, event_id))
        assert (answer.status_code, answer.json["code"]) == (400, "webhook_unreadable")


@pytest.mark.engines("sqlite")
def test_two_secrets_are_valid_while_one_replaces_the_other(config: Config) -> None:
    with world_on(replace(config, bank_webhook_secrets=(OTHER_SECRET, LAB_WEBHOOK_SECRET))) as world:
        for number, secret in enumerate((LAB_WEBHOOK_SECRET, OTHER_SECRET)):
            headers = signed(BODY, f"evt_{number}", secret)
            assert world.client.post(ADDRESS, data=BODY, headers=headers).status_code == 202
        both = signed(BODY, "evt_3")
        both["webhook-signature"] = f"v1a,x v9 v1,!! {both['webhook-signature']}"
        assert world.client.post(ADDRESS, data=BODY, headers=both).status_code == 202


@pytest.mark.engines("sqlite")
def test_a_database_that_is_away_lets_the_bank_try_again(world: World) -> None:
    with world.losing_database(after_units=0):
        answer = world.client.post(ADDRESS, data=BODY, headers=signed(BODY))

    assert answer.status_code == 503
    assert world.all(InboxMessage) == []


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_commit_that_is_lost_is_not_thanked_for_and_the_next_try_is(world: World, is_stored: bool) -> None:
    with world.losing_commit(1, is_stored=is_stored):
        lost = world.client.post(ADDRESS, data=BODY, headers=signed(BODY))
    again = world.client.post(ADDRESS, data=BODY, headers=signed(BODY))

    assert (lost.status_code, again.status_code) == (503, 202)
    assert len(world.all(InboxMessage)) == 1


def test_an_event_makes_us_ask_and_the_answer_settles(world: World) -> None:
    attempt = open_attempt(world)
    world.bank.asked.clear()

    send(world, "evt_1", news(attempt))
    assert settle_inbox(world) == [Done()]

    assert world.bank.asked == [attempt.public_id]
    assert world.payment(attempt.payment_id).is_paid
    assert outcomes(world) == {"evt_1": "applied"}
    assert len(world.all(OutboxMessage, queue="store_manager")) == 1


def test_the_word_of_an_event_settles_nothing(world: World) -> None:
    attempt = open_attempt(world)

    send(world, "evt_1", news(attempt, "declined"))  # the bank, when asked, says that it took the money
    settle_inbox(world)

    assert world.payment(attempt.payment_id).is_paid


def test_what_the_bank_does_not_confirm_is_asked_again_later(world: World) -> None:
    world.bank.script = [lose_request]
    payment_id = world.create()
    world.pay(payment_id)
    (attempt,) = world.attempts(payment_id)
    send(world, "evt_1", news(attempt))
    world.bank.is_away = True

    (failed,) = settle_inbox(world)
    assert isinstance(failed, Failed)
    assert outcomes(world) == {"evt_1": None}

    world.bank.is_away = False
    world.bank.remember(attempt.public_id, ProviderResult(Outcome.APPROVED))
    make_due(world)
    assert settle_inbox(world) == [Done()]
    assert world.payment(payment_id).is_paid


def test_an_event_about_a_payment_that_is_settled_as_it_says_asks_nobody(world: World) -> None:
    payment_id = world.create()
    world.pay(payment_id)
    (attempt,) = world.attempts(payment_id)
    before = event_types(world)

    send(world, "evt_1", news(attempt))
    send(world, "evt_2", news(attempt, "pending"))
    settle_inbox(world)

    assert world.bank.asked == []
    assert event_types(world) == before
    assert set(outcomes(world).values()) == {"applied"}


@pytest.mark.parametrize("change", [{"amount_minor": 1}, {"currency": "EUR"}])
@pytest.mark.parametrize("is_open", [True, False])
def test_an_amount_that_differs_changes_nothing_but_is_told(
    world: World, change: dict[str, Any], is_open: bool
) -> None:
    attempt = open_attempt(world)
    if not is_open:
        send(world, "evt_0", news(attempt))
        settle_inbox(world)
    world.bank.asked.clear()
    before = world.payment(attempt.payment_id).status

    send(world, "evt_1", news(attempt, **change))
    settle_inbox(world)

    assert world.payment(attempt.payment_id).status == before
    assert world.bank.asked == []
    assert event_types(world).count("movement.amount_differs") == 1
    assert outcomes(world)["evt_1"] == "amount_differs"


def test_a_difference_is_told_once_though_its_worker_died_before_it_said_so(world: World) -> None:
    attempt = open_attempt(world)
    send(world, "evt_1", news(attempt, amount_minor=1))
    (message,) = world.all(InboxMessage)
    for _ in range(2):  # the same row, as it was when both claimed it
        world.in_other_thread(lambda: settle_message(message, world.dependencies))

    assert event_types(world).count("movement.amount_differs") == 1


def test_unknown_types_and_requests_are_kept_and_marked(world: World) -> None:
    send(world, "evt_type", event_body("payout.created", amount_minor=1))
    send(world, "evt_request", BODY)
    send(world, "evt_data", event_body("payment.updated", request_id="att_1"))
    send(world, "evt_shape", b"[]")

    assert settle_inbox(world) == [Done()] * 4

    assert outcomes(world) == {
        "evt_type": "unknown_type",
        "evt_request": "unknown_request",
        "evt_data": "unreadable",
        "evt_shape": "unreadable",
    }


def test_an_approval_that_comes_after_the_end_is_given_back(world: World) -> None:
    world.bank.script = [lose_request]
    payment_id = world.create()
    world.pay(payment_id)
    world.outlast_senders()
    world.run_janitor()  # the bank does not know it: abandoned
    (attempt,) = world.attempts(payment_id)
    assert attempt.state == "abandoned"
    world.bank.settle(attempt.public_id, ProviderResult(Outcome.APPROVED))

    for number in range(3):
        send(world, f"evt_{number}", news(attempt))
        settle_inbox(world)

    assert event_types(world).count("payment.late_approval") == 1
    assert [attempt.kind for attempt in world.attempts(payment_id)] == ["sale", "reversal"]


@pytest.mark.parametrize("order", list(permutations(("pending", "declined", "approved"))))
def test_any_order_of_arrival_ends_the_same(world: World, order: tuple[str, ...]) -> None:
    attempt = open_attempt(world)

    for _ in range(2):
        for status in order:
            send(world, f"evt_{status}", news(attempt, status))
            settle_inbox(world)

    types = event_types(world)
    assert world.payment(attempt.payment_id).is_paid
    assert types.count("payment.completed") == 1
    assert "attempt.contradicted" not in types
    assert len(world.all(OutboxMessage, queue="store_manager")) == 1


def test_the_worker_has_a_loop_for_the_bank_and_gives_a_defect_up_at_last(world: World) -> None:
    attempt = open_attempt(world)
    send(world, "evt_1", news(attempt))
    loops = {loop.name: loop for loop in build_loops(world.app, world.config)}
    loop = loops["bank-simulator"]
    assert isinstance(loop, QueueLoop)

    loop.turn()
    for each in loops.values():
        if isinstance(each, QueueLoop):
            each.close()

    assert world.payment(attempt.payment_id).is_paid
    (message,) = world.all(InboxMessage)
    assert message.status == JobStatus.DONE


def test_a_failing_event_is_dead_at_last_listed_and_replayed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.bank.script = [lose_request]
    payment_id = world.create()
    world.pay(payment_id)
    (attempt,) = world.attempts(payment_id)
    send(world, "evt_1", news(attempt))
    (message,) = world.all(InboxMessage)
    world.bank.is_away = True

    def age(session: Any) -> None:
        session.get(InboxMessage, message.id).created_at -= timedelta(days=7)

    world.change(age)
    settle_inbox(world)
    assert "job_given_up" in capsys.readouterr().out

    def run(*words: str) -> str:
        settings = {"DATABASE_URL": world.config.database_url, "LOG_LEVEL": "CRITICAL"}
        result = CliRunner().invoke(main, ["webhooks", *words], env=settings)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "evt_1  dead  -  tries 1" in run("list", "--status", "dead")
    assert attempt.public_id in run("show", str(message.id))
    assert run("list", "--outcome", "applied") == "There are none.\n"
    assert run("replay", "--all-dead") == "1 event(s) will be settled again now.\n"
    world.bank.is_away = False
    world.bank.remember(attempt.public_id, ProviderResult(Outcome.APPROVED))
    settle_inbox(world)
    assert world.payment(payment_id).is_paid
    assert "applied" in run("list")
    assert run("replay", str(message.id)) == "0 event(s) will be settled again now.\n"


def test_an_event_that_arrives_eight_times_at_one_moment_is_kept_once(world: World) -> None:
    def post(_: int) -> int:
        return world.client.post(ADDRESS, data=BODY, headers=signed(BODY)).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(post, range(8)))

    assert statuses == [202] * 8
    assert len(world.all(InboxMessage)) == 1
    assert world.waker.calls == 1


FOLLOW_UPS: Mapping[str, tuple[type[Capture | Void | Refund], Callable[[TestMerchant], Answer]]] = {
    "capture": (Capture, lambda seller: seller.capture(seller.held())),
    "void": (Void, lambda seller: seller.cancel(seller.held())),
    "refund": (Refund, lambda seller: seller.refund(seller.taken())),
}


@pytest.mark.parametrize("kind", FOLLOW_UPS)
@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        (Outcome.APPROVED,
         {"capture": "payment.completed", "void": "payment.cancelled", "refund": "refund.succeeded"}),
        (Outcome.DECLINED, {"capture": "capture.failed", "void": "void.failed", "refund": "refund.failed"}),
    ],
)  # fmt: skip
def test_the_late_end_of_a_capture_void_or_refund_is_asked_for(
    world: World, kind: str, outcome: Outcome, event: Mapping[str, str]
) -> None:
    seller = TestMerchant.of(world)
    model, begin = FOLLOW_UPS[kind]
    world.bank.is_slow = True
    assert begin(seller).status_code == 202
    (movement,) = (row for row in world.all(model) if row.is_open)
    world.bank.settle(movement.public_id, ProviderResult(outcome))

    for number in range(2):
        data = {"amount_minor": movement.amount_minor, "currency": movement.currency, "status": outcome}
        body = event_body(f"{kind}.updated" if kind == "refund" else "payment.updated",
                          request_id=movement.public_id, **data)  # fmt: skip
        send(world, f"evt_{number}", body)
        settle_inbox(world)

    (settled,) = world.all(model, id=movement.id)
    assert settled.state == MovementState(outcome)
    assert world.events(movement.payment_id).count(event[kind]) == 1
    assert set(outcomes(world).values()) == {"applied"}
    (told,) = world.all(PaymentEvent, type=event[kind])
    assert json.loads(told.body)["actor"] == "provider:bank-simulator"


def test_a_refund_whose_amount_differs_changes_nothing_but_is_told(world: World) -> None:
    seller = TestMerchant.of(world)
    world.bank.is_slow = True
    seller.refund(seller.taken(), amount=4000)
    (refund,) = world.all(Refund)
    world.bank.settle(refund.public_id, ProviderResult(Outcome.APPROVED))

    body = event_body("refund.updated", request_id=refund.public_id, status="approved",
                      amount_minor=10000, currency="MAD")  # fmt: skip
    send(world, "evt_1", body)
    settle_inbox(world)

    assert world.all(Refund)[0].is_open
    assert outcomes(world) == {"evt_1": "amount_differs"}
    assert world.events(refund.payment_id)[-1] == "movement.amount_differs"


@pytest.mark.parametrize("told", ["approved", "declined"])
def test_a_payment_held_for_review_is_not_ended_by_an_event_of_a_bank_that_does_not_know_it(
    world: World, told: str
) -> None:
    seller = TestMerchant.of(world)
    public_id = seller.reviewed()
    attempt = world.attempt(seller.payment(public_id).id)
    world.outlast_senders()

    send(world, "evt_1", news(attempt, told))
    settle_inbox(world)
    world.run_janitor()

    assert (world.attempt(attempt.payment_id).state, world.bank.abandoned) == ("held", [])
    approved = seller.post(f"/v1/payments/{public_id}/approve", {"reason": "known customer"})
    assert (approved.status_code, approved.json["status"]) == (200, "authorized")
