"""The chain of events: whoever edits, deletes, cuts off or re-orders lines is found out."""

import hashlib
import hmac
import json
from collections.abc import Sequence

import pytest
from payment_service.models.payment import Payment, PaymentEvent
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tests.testkit.payments.scripted.sales import decline, refuse_connection
from tests.testkit.payments.world import World

KEY = b"lab-event-key"


def verify(payment: Payment, events: Sequence[PaymentEvent]) -> list[str]:
    """What is wrong with a payment's chain, found without the service's own code."""
    wrong = []
    head = ""
    for number, event in enumerate(events, start=1):
        document = json.loads(event.body)
        told = (document["sequence"], document["payment"], document["type"], document["id"])
        if told != (event.sequence, payment.public_id, event.type, event.public_id):
            wrong.append(f"row {number} does not say what its body says")
        if event.sequence != number:
            wrong.append(f"row {number} has sequence {event.sequence}")
        expected = hmac.new(KEY, f"{head}\n{event.body}".encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, event.mac):
            wrong.append(f"row {number} is not sealed with what is before it")
        head = event.mac
    if (payment.event_count, payment.event_head) != (len(events), head):
        wrong.append("the end is not the one that the payment knows")
    return wrong


def look(world: World, payment_id: int) -> list[str]:
    events = sorted(world.all(PaymentEvent, payment_id=payment_id), key=lambda event: event.sequence)
    return verify(world.payment(payment_id), events)


@pytest.fixture
def payment_id(world: World) -> int:
    """A payment with a history."""
    payment_id = world.create()
    world.bank.script = [refuse_connection, decline("lost_card")]
    for _ in range(3):
        world.pay(payment_id)
    return payment_id


def test_the_whole_life_of_a_payment_is_chained(world: World, payment_id: int) -> None:
    assert world.events(payment_id) == [
        "payment.created",
        "payment.processing",
        "payment.released",
        "payment.processing",
        "payment.failed",
        "payment.processing",
        "payment.completed",
    ]
    assert look(world, payment_id) == []
    assert look(world, 1) == look(world, 2) == []
    assert {event.key_id for event in world.all(PaymentEvent)} == {"1"}


def event_at(session: Session, payment_id: int, sequence: int) -> PaymentEvent:
    return session.scalars(select(PaymentEvent).filter_by(payment_id=payment_id, sequence=sequence)).one()


def test_an_edited_line_is_found(world: World, payment_id: int) -> None:
    def edit(session: Session) -> None:
        event = event_at(session, payment_id, 1)
        event.body = event.body.replace("399998", "100")

    world.change(edit)

    assert look(world, payment_id) == ["row 1 is not sealed with what is before it"]


def test_an_edited_line_that_is_sealed_by_somebody_without_the_key_is_found(
    world: World, payment_id: int
) -> None:
    def edit(session: Session) -> None:
        event = event_at(session, payment_id, 1)
        event.body = event.body.replace("399998", "100")
        event.mac = hashlib.sha256(event.body.encode()).hexdigest()

    world.change(edit)

    assert "row 1 is not sealed with what is before it" in look(world, payment_id)
    assert "row 2 is not sealed with what is before it" in look(world, payment_id)


@pytest.mark.parametrize("sequence", [1, 3, 7])
def test_a_deleted_line_is_found(world: World, payment_id: int, sequence: int) -> None:
    world.change(
        lambda session: session.execute(
            delete(PaymentEvent).where(
                PaymentEvent.payment_id == payment_id, PaymentEvent.sequence == sequence
            )
        )
    )

    assert look(world, payment_id)


def test_a_cut_off_end_is_found_even_when_the_count_was_mended(world: World, payment_id: int) -> None:
    def cut(session: Session) -> None:
        session.execute(
            delete(PaymentEvent).where(PaymentEvent.payment_id == payment_id, PaymentEvent.sequence > 4)
        )
        session.execute(update(Payment).where(Payment.id == payment_id).values(event_count=4))

    world.change(cut)

    assert look(world, payment_id) == ["the end is not the one that the payment knows"]


def test_two_lines_that_changed_places_are_found(world: World, payment_id: int) -> None:
    def swap(session: Session) -> None:
        first, second = event_at(session, payment_id, 2), event_at(session, payment_id, 4)
        first.body, second.body = second.body, first.body
        first.mac, second.mac = second.mac, first.mac

    world.change(swap)

    assert look(world, payment_id)


def test_lines_of_another_payment_are_found(world: World, payment_id: int) -> None:
    other = world.create()

    def move(session: Session) -> None:
        theirs, ours = event_at(session, other, 1), event_at(session, payment_id, 1)
        ours.body, ours.mac = theirs.body, theirs.mac

    world.change(move)

    assert "row 1 does not say what its body says" in look(world, payment_id)
