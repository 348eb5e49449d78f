"""Messages that were delivered, and events that were applied, are forgotten after the setting's days."""

from datetime import datetime, timedelta

import pytest
from payment_service.commands.upkeep.prune import prune_messages
from payment_service.models.merchant import Merchant
from payment_service.models.message import InboxMessage, OutboxMessage
from payment_service.values.statuses import Destination, InboxOutcome
from payment_service.worker import build_loops
from service_kit.clock import utc_now
from service_kit.jobs.queue import JobStatus

from tests.testkit.payments.world import World

KEPT = timedelta(days=30)
MINUTE = timedelta(minutes=1)


def send(world: World, name: str, at: datetime, status: JobStatus = JobStatus.DONE) -> None:
    (merchant,) = world.all(Merchant, public_id="mer_lab")
    message = OutboxMessage(
        queue=Destination.EVENTS,
        event_id=name,
        merchant_id=merchant.id,
        payload="",
        status=status,
        next_attempt_at=at,
        created_at=at,
        done_at=at if status is JobStatus.DONE else None,
    )
    world.change(lambda session: session.add(message))


def hear(
    world: World,
    name: str,
    at: datetime,
    outcome: InboxOutcome | None = InboxOutcome.APPLIED,
    status: JobStatus = JobStatus.DONE,
) -> None:
    message = InboxMessage(
        queue="bank-simulator",
        event_id=name,
        body="{}",
        outcome=outcome,
        status=status,
        next_attempt_at=at,
        created_at=at,
        done_at=at if status is JobStatus.DONE else None,
    )
    world.change(lambda session: session.add(message))


def prune(world: World, limit: int = 500) -> int:
    return world.in_other_thread(lambda: prune_messages(world.dependencies, limit=limit))


def names(world: World) -> list[str]:
    """Return what is left of ours; the two payments of the lab wrote messages too."""
    sent = [row.event_id for row in world.all(OutboxMessage)]
    heard = [row.event_id for row in world.all(InboxMessage)]
    return sorted(name for name in (*sent, *heard) if not name.startswith("evt_"))


def test_what_was_done_long_ago_is_forgotten(world: World) -> None:
    now = utc_now()
    send(world, "sent long ago", now - KEPT)
    send(world, "sent lately", now - KEPT + MINUTE)
    hear(world, "heard long ago", now - KEPT)
    hear(world, "heard lately", now - KEPT + MINUTE)

    assert prune(world) == 2
    assert names(world) == ["heard lately", "sent lately"]
    assert prune(world) == 0


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.DEAD])
def test_what_was_not_delivered_stays_however_old(world: World, status: JobStatus) -> None:
    send(world, "sent", utc_now() - 10 * KEPT, status)
    hear(world, "heard", utc_now() - 10 * KEPT, None, status)

    assert prune(world) == 0
    assert names(world) == ["heard", "sent"]


def test_an_event_that_waits_for_a_person_stays(world: World) -> None:
    hear(world, "heard", utc_now() - 10 * KEPT, InboxOutcome.CONTRADICTED)

    assert prune(world) == 0
    assert names(world) == ["heard"]


def test_the_oldest_go_first_and_in_batches(world: World) -> None:
    now = utc_now()
    for days in range(5):
        send(world, f"{days}", now - KEPT - timedelta(days=days))

    assert [prune(world, limit=2), names(world)] == [2, ["0", "1", "2"]]
    assert [prune(world, limit=2), prune(world, limit=2), names(world)] == [2, 1, []]


def test_the_worker_prunes(world: World) -> None:
    send(world, "sent", utc_now() - KEPT)
    (loop,) = [loop for loop in build_loops(world.app, world.config) if loop.name == "pruning_messages"]

    loop.turn()

    assert names(world) == []
