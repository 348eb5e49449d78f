"""Every POST of /v1, sent again: byte for byte the first answer, and nothing is carried out twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.payment import PaymentEvent
from payment_service.values.statuses import FraudDecision
from sqlalchemy import update

from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.consistency import assert_all_is_true
from tests.testkit.payments.journeys.operations import (
    OPERATIONS,
    Operation,
    assert_replayed,
    bank_calls,
    thing_in,
)
from tests.testkit.payments.journeys.stage import ORDER, Stage, new_stage
from tests.testkit.payments.scripted.bank import SaleBehaviour
from tests.testkit.payments.scripted.sales import decline, lose_request, refuse_connection
from tests.testkit.payments.world import World

BANK_CALLS = ("sale", "authorise", "capture", "void", "refund")
BY_NAME = {operation.name: operation for operation in OPERATIONS}
# A challenge is ended at the bank before the key is taken: that may be repeated.
CALLING_UNDER_THEIR_KEY = [
    operation
    for operation in OPERATIONS
    if operation.transactions > 1 and operation.name != "cancel a challenge"
]
every_post = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


@pytest.fixture
def stage(world: World) -> Stage:
    return new_stage(world)


@contextmanager
def in_the_middle(world: World, do: Callable[[], object]) -> Iterator[None]:
    """Do something, once, in another thread, when the bank was called and has not answered yet."""
    left = [do]

    def interrupted(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def answer_late(request: Any) -> Any:
            if left:
                world.in_other_thread(left.pop())
            return call(request)

        return answer_late

    for name in BANK_CALLS:
        setattr(world.bank, name, interrupted(getattr(world.bank, name)))
    yield
    for name in BANK_CALLS:
        delattr(world.bank, name)


def test_no_post_of_v1_is_forgotten_here(world: World) -> None:
    rules = {
        rule.rule
        for rule in world.app.url_map.iter_rules()
        if rule.rule.startswith("/v1") and "POST" in (rule.methods or set())
    }

    assert {operation.rule for operation in OPERATIONS} == rules


@every_post
def test_a_repeat_gets_the_first_answer_byte_for_byte(stage: Stage, operation: Operation) -> None:
    request = operation.request(stage)
    before = bank_calls(stage.world)

    first = request.send(stage.world)
    calls, events = bank_calls(stage.world), len(stage.world.all(PaymentEvent))
    again = request.send(stage.world)

    assert first.status_code == operation.status, first.text
    assert "Idempotent-Replayed" not in first.headers
    assert_replayed(again, first)
    assert stage.show(thing_in(first)) == thing_in(first)
    assert (bank_calls(stage.world), len(stage.world.all(PaymentEvent))) == (calls, events)
    assert calls - before <= 1


def _with_bank(behaviour: SaleBehaviour) -> Callable[[World], None]:
    return lambda world: world.bank.script.append(behaviour)


def _with_fraud(decision: FraudDecision) -> Callable[[World], None]:
    return lambda world: world.fraud.script.append(decision)


@pytest.mark.parametrize(
    ("happen", "status"),
    [
        (_with_bank(decline("lost_card")), 402),
        (_with_bank(refuse_connection), 502),
        (_with_bank(lose_request), 202),
        (_with_fraud(FraudDecision.DECLINE), 422),
        (_with_fraud(FraudDecision.REVIEW), 202),
    ],
)
def test_an_answer_that_is_no_success_is_stored_too(
    stage: Stage, happen: Callable[[World], None], status: int
) -> None:
    request = stage.request("/v1/payments", {**ORDER, "confirm": True, "card": dict(V1_CARD)})
    happen(stage.world)

    first = request.send(stage.world)
    calls = bank_calls(stage.world)

    assert first.status_code == status
    assert_replayed(request.send(stage.world), first)
    stage.settle_everything()
    assert_replayed(request.send(stage.world), first)
    assert bank_calls(stage.world) == calls


@pytest.mark.parametrize("operation", [BY_NAME["capture"], BY_NAME["release"], BY_NAME["refund"]])
def test_a_movement_that_was_not_sent_is_told_again_and_may_follow_under_a_new_key(
    stage: Stage, operation: Operation
) -> None:
    request = operation.request(stage)
    stage.world.bank.is_away = True
    first = request.send(stage.world)
    stage.world.bank.is_away = False

    assert first.status_code == 502
    assert_replayed(request.send(stage.world), first)
    assert stage.request(request.path, request.json).send(stage.world).status_code == operation.status
    assert_all_is_true(stage.world)


def test_a_refusal_before_anything_is_written_is_not_stored(stage: Stage) -> None:
    payment = stage.payment(capture_method="manual")
    capture = stage.request(f"/v1/payments/{payment}/capture")
    bad = replace(capture, json={"amount": -1})
    elsewhere = replace(capture, path="/v1/payments/pay_0/capture")

    refusals = [request.send(stage.world).status_code for request in (bad, elsewhere, capture)]
    stage.make(f"/v1/payments/{payment}/confirm", {"card": dict(V1_CARD)})
    done = capture.send(stage.world)

    assert refusals == [400, 404, 409]
    assert (done.status_code, done.headers.get("Idempotent-Replayed")) == (200, None)


def test_no_stored_answer_has_card_data(stage: Stage) -> None:
    for operation in OPERATIONS:
        assert operation.request(stage).send(stage.world).status_code == operation.status

    rows = stage.world.all(IdempotencyKey)
    assert len(rows) >= len(OPERATIONS)
    for row in rows:
        assert row.answer_body is not None
        assert V1_CARD["number"] not in row.answer_body
        assert f'"{V1_CARD["cvc"]}"' not in row.answer_body


@every_post
def test_other_parameters_are_422_and_the_cvc_is_none_of_them(stage: Stage, operation: Operation) -> None:
    request = operation.request(stage)
    first = request.send(stage.world)

    if operation.other is not None:
        refused = operation.otherwise(request).send(stage.world)
        assert (refused.status_code, refused.json["code"]) == (422, "idempotency_key_reused")
    if request.json and "card" in request.json:
        with_other_cvc = {**request.json, "card": {**request.json["card"], "cvc": "111"}}
        assert_replayed(replace(request, json=with_other_cvc).send(stage.world), first)
    assert_replayed(request.send(stage.world), first)


@every_post
def test_a_repeat_while_the_first_is_under_way_is_409(stage: Stage, operation: Operation) -> None:
    request = operation.request(stage)
    told: list[Answer] = []

    with in_the_middle(stage.world, lambda: told.append(request.send(stage.world))):
        first = request.send(stage.world)
    if not told:  # it calls nobody: there is no middle to arrive in, but there could be a slow COMMIT
        stage.world.change(lambda session: session.execute(update(IdempotencyKey).values(answer_status=None)))
        told.append(request.send(stage.world))

    assert first.status_code == operation.status
    (second,) = told
    assert (second.status_code, second.json["code"]) == (409, "idempotency_key_in_progress")
    assert 1 <= int(second.headers["Retry-After"]) <= 2


@pytest.mark.parametrize(
    "operation",
    CALLING_UNDER_THEIR_KEY,
    ids=lambda operation: operation.name,
)
def test_a_request_that_is_slower_than_its_lease_says_what_the_repeat_said(
    stage: Stage, operation: Operation
) -> None:
    request = operation.request(stage)
    told: list[Answer] = []

    def repeat_late() -> None:
        stage.outlast_everybody()
        told.append(request.send(stage.world))

    with in_the_middle(stage.world, repeat_late):
        first = request.send(stage.world)
    stage.settle_everything()

    (second,) = told
    assert second.status_code in {202, 502}
    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert_replayed(request.send(stage.world), first)
    assert_all_is_true(stage.world)
