"""A bank that signs events, and a worker that settles what came."""

from datetime import UTC, datetime
from typing import Any

from payment_service.commands.webhooks.settle_inbox import inboxes
from payment_service.config import LAB_WEBHOOK_SECRET
from payment_service.extensions import db
from payment_service.models.dispute import Dispute
from payment_service.models.merchant import Merchant
from payment_service.models.message import InboxMessage
from payment_service.models.payment import Payment
from service_kit.jobs.queue import Result
from service_kit.web import strict_json
from sqlalchemy import update
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from tests.testkit.payments.client import Answer
from tests.testkit.payments.world import World

ADDRESS = "/provider-webhooks/bank-simulator"


def signed(
    body: bytes, event_id: str = "evt_1", secret: str = LAB_WEBHOOK_SECRET, at: datetime | None = None
) -> dict[str, str]:
    """Return the headers of an event as the bank sends it."""
    at = at or datetime.now(UTC)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, at, body.decode()),
        "Content-Type": "application/json",
    }


def event_body(kind: str, **data: Any) -> bytes:
    """Return an event as the bank-simulator writes it."""
    document = {"type": kind, "timestamp": "2026-11-21T10:00:00.000Z", "data": data}
    return strict_json.dumps(document).encode()


def send(world: World, event_id: str, body: bytes) -> Answer:
    """Send an event; it must be taken."""
    answer = world.client.post(ADDRESS, data=body, headers=signed(body, event_id))
    if answer.status_code != 202:
        raise AssertionError(answer.text)
    return answer


def settle_inbox(world: World) -> list[Result]:
    """Do one turn of the worker over all that is due; return what came of each event."""

    def turn() -> list[Result]:
        results = []
        for inbox in inboxes(world.dependencies):
            for message in inbox.queue.claim(100):
                result = inbox.settle(message)
                inbox.queue.record(message, result)
                results.append(result)
        return results

    return world.in_other_thread(turn)


def make_due(world: World) -> None:
    """Let every event that waits for another try be due."""
    world.change(
        lambda session: session.execute(
            update(InboxMessage).values(next_attempt_at=datetime(2026, 1, 1, tzinfo=UTC))
        )
    )


def outcomes(world: World) -> dict[str, str | None]:
    """Return what came of each event, by the event's id."""
    with world.app.app_context(), db.reading() as session:
        return {row.event_id: row.outcome for row in session.query(InboxMessage)}


def dispute_of(world: World, merchant_id: str) -> str:
    """Let a payment of the merchant be disputed; return the dispute's id."""
    payment_id = world.create()
    world.pay(payment_id)
    attempt = world.attempt(payment_id)
    (merchant,) = world.all(Merchant, public_id=merchant_id)

    def hand_over(session: Session) -> None:
        session.get_one(Payment, payment_id).merchant_id = merchant.id

    world.change(hand_over)
    body = event_body(
        "dispute.opened",
        dispute_id=f"dsp_of_{attempt.public_id}",
        original_request_id=attempt.public_id,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
    )
    send(world, f"evt_of_{attempt.public_id}", body)
    settle_inbox(world)
    (dispute,) = world.all(Dispute, payment_id=payment_id)
    return dispute.public_id
