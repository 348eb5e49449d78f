"""Idempotency keys are forgotten after a day, in small batches, and never while they protect something."""

from datetime import datetime, timedelta

import pytest
from payment_service.commands.upkeep.prune import prune_idempotency_keys
from payment_service.domain.idempotency_keys import IdempotentRequest, StoredAnswer, begin_key, finish
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.merchant import Merchant
from payment_service.worker import build_loops
from service_kit.clock import utc_now
from sqlalchemy.orm import Session

from tests.testkit.payments.world import World

DAY = timedelta(hours=24)
LEASE = timedelta(seconds=30)


@pytest.fixture
def merchant_id(world: World) -> int:
    return world.all(Merchant, public_id="mer_lab")[0].id


def store(world: World, merchant_id: int, name: str, created_at: datetime, *, is_answered: bool) -> None:
    asked = IdempotentRequest(merchant_id, name, "f")

    def work(session: Session) -> None:
        begin_key(session, asked, name, created_at, LEASE)
        if is_answered:
            finish(session, asked, StoredAnswer(200, b"{}", "application/json"))

    world.change(work)


def prune(world: World, limit: int = 500) -> int:
    return world.in_other_thread(lambda: prune_idempotency_keys(world.dependencies, limit=limit))


def names(world: World) -> list[str]:
    return [row.key_hash for row in world.all(IdempotencyKey)]


def test_keys_older_than_a_day_are_forgotten(world: World, merchant_id: int) -> None:
    now = utc_now()
    store(world, merchant_id, "old", now - DAY, is_answered=True)
    store(world, merchant_id, "young", now - DAY + timedelta(minutes=1), is_answered=True)
    store(world, merchant_id, "dead", now - DAY, is_answered=False)

    assert prune(world) == 2
    assert names(world) == ["young"]
    assert prune(world) == 0


def test_a_key_that_was_taken_over_lately_is_kept(world: World, merchant_id: int) -> None:
    now = utc_now()
    store(world, merchant_id, "taken over", now - DAY, is_answered=False)

    def take_over(session: Session) -> None:
        begin_key(session, IdempotentRequest(merchant_id, "taken over", "f"), "x", now - LEASE, LEASE)

    world.change(take_over)

    assert prune(world) == 0
    assert names(world) == ["taken over"]


def test_the_oldest_go_first_and_in_batches(world: World, merchant_id: int) -> None:
    now = utc_now()
    for number in range(5):
        store(world, merchant_id, f"key {number}", now - DAY - timedelta(hours=number), is_answered=True)

    assert [prune(world, limit=2), sorted(names(world))] == [2, ["key 0", "key 1", "key 2"]]
    assert [prune(world, limit=2), prune(world, limit=2), names(world)] == [2, 1, []]


def test_the_worker_prunes(world: World, merchant_id: int) -> None:
    store(world, merchant_id, "old", utc_now() - DAY, is_answered=True)
    (loop,) = [loop for loop in build_loops(world.app, world.config) if loop.name == "pruning"]

    loop.turn()

    assert names(world) == []
