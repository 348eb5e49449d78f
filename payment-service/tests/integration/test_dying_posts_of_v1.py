"""A process dies between any two writes of a POST of /v1, or two processes get one POST: it happens once."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from payment_service.models.card import PaymentMethod
from payment_service.models.movement import Refund
from payment_service.models.payment import Payment

from tests.testkit.payments.consistency import assert_all_is_true
from tests.testkit.payments.journeys.operations import (
    OPERATIONS,
    Operation,
    assert_replayed,
    bank_calls,
    thing_in,
)
from tests.testkit.payments.journeys.stage import Stage, new_stage
from tests.testkit.payments.process_kills import outside
from tests.testkit.payments.world import World

pytestmark = pytest.mark.deep_on("mariadb")
# KrakenD sends a POST without a body again by itself when a kept-alive connection dies.
TWICE = [operation for operation in OPERATIONS if operation.may_arrive_twice]
every_post = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


@pytest.fixture
def stage(world: World) -> Stage:
    return new_stage(world)


def things(stage: Stage) -> int:
    return sum(len(stage.world.all(model)) for model in (Payment, Refund, PaymentMethod))


class Repeated:
    """Repeats a request of which something went wrong, and says what is not as it must be."""

    def __init__(self, stage: Stage, operation: Operation) -> None:
        self.stage, self.operation = stage, operation
        self.request = operation.request(stage)
        self._things, self._calls = things(stage), bank_calls(stage.world)

    def check(self, context: object) -> None:
        """Send it again at once, and after the lease: it happens once, and the answer is true."""
        stage, operation = self.stage, self.operation
        answer = self.request.send(stage.world)
        if answer.status_code == 409:
            assert answer.json["code"] == "idempotency_key_in_progress", context
            stage.outlast_everybody()
            answer = self.request.send(stage.world)

        assert answer.status_code in {operation.status, 200, 202, 502}, (context, answer.text)
        assert stage.show(thing_in(answer)) == thing_in(answer), context
        assert_replayed(self.request.send(stage.world), answer)
        stage.settle_everything()
        assert_replayed(self.request.send(stage.world), answer)
        assert things(stage) - self._things == (1 if operation.status == 201 else 0), context
        assert bank_calls(stage.world) - self._calls <= 1, context
        assert_all_is_true(stage.world)


@every_post
def test_a_request_whose_process_died_anywhere_is_repeated_safely(stage: Stage, operation: Operation) -> None:
    with outside(stage.world) as processes:
        for number in count(1):
            repeated = Repeated(stage, operation)
            life = processes.send(repeated.request, die_at=number)
            repeated.check(life.points)
            if life.survived:
                break

    assert life.points.count("before COMMIT") == (operation.transactions)


@every_post
@pytest.mark.parametrize("is_stored", [True, False])
def test_a_request_with_a_commit_of_unknown_outcome_is_repeated_safely(
    stage: Stage, operation: Operation, is_stored: bool
) -> None:
    for number in range(1, operation.transactions + 1):
        repeated = Repeated(stage, operation)
        with stage.world.losing_commit(number, is_stored=is_stored):
            first = repeated.request.send(stage.world)

        # 409: the bank ended the challenge, and that could not be stored.
        assert first.status_code in {operation.status, 202, 409, 503}, (number, first.text)
        if first.status_code < 400:
            assert stage.show(thing_in(first))["id"] == thing_in(first)["id"]
        repeated.check(number)


@pytest.mark.parametrize("operation", TWICE, ids=lambda operation: operation.name)
def test_two_processes_that_get_one_request_at_once_carry_it_out_once(
    stage: Stage, operation: Operation
) -> None:
    request = operation.request(stage)
    before = bank_calls(stage.world)

    with outside(stage.world) as processes, ThreadPoolExecutor() as both:
        lives = [both.submit(processes.send, request) for _ in range(2)]
        statuses = sorted(life.result().status or 0 for life in lives)

    assert statuses in ([operation.status] * 2, [operation.status, 409])
    assert bank_calls(stage.world) - before <= 1
    again = request.send(stage.world)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (operation.status, "true")
    assert stage.show(thing_in(again)) == thing_in(again)
    assert_all_is_true(stage.world)
