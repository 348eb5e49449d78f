"""Whether the bank, the payments, the books and the events of a scripted world say the same."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from payment_service.domain.payments.events import seal
from payment_service.models.ledger import LedgerEntry
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.values.statuses import LedgerAccount, PaymentStatus

from tests.testkit.payments.world import World

OfPayment = TypeVar("OfPayment", PaymentAttempt, LedgerEntry, PaymentEvent)
WAITING = {PaymentStatus.AUTHORIZED, PaymentStatus.PARTIALLY_CAPTURED}


def assert_all_is_true(world: World) -> None:
    """Fail if anything differs; every movement must have come to its end."""
    attempts = _by_payment(world, PaymentAttempt)
    entries = _by_payment(world, LedgerEntry)
    events = _by_payment(world, PaymentEvent)
    for payment in world.all(Payment):
        wrong = [
            *_at_the_bank(world, payment, attempts[payment.id]),
            *_in_the_books(payment, entries[payment.id]),
            *_in_the_events(world, payment, events[payment.id]),
        ]
        if wrong:
            raise AssertionError(f"{payment.public_id} is {payment.status}: {', '.join(wrong)}")


def _by_payment(world: World, model: type[OfPayment]) -> Mapping[int, Sequence[OfPayment]]:
    rows: defaultdict[int, list[OfPayment]] = defaultdict(list)
    for row in world.all(model):
        rows[row.payment_id].append(row)
    return rows


def _at_the_bank(world: World, payment: Payment, attempts: Sequence[PaymentAttempt]) -> Iterator[str]:
    ids = [attempt.public_id for attempt in attempts]
    taken = sum(world.bank.taken_minor.get(public_id, 0) for public_id in ids)
    held = sum(world.bank.held_minor.get(public_id, 0) for public_id in ids)
    if taken + held > payment.amount_minor:
        yield f"the bank has {taken} and {held} of {payment.amount_minor}"
    if taken != payment.captured_minor - payment.refunded_minor:
        yield f"the bank took {taken}, we {payment.captured_minor} less {payment.refunded_minor}"
    if held != (payment.authorized_minor - payment.captured_minor if payment.status in WAITING else 0):
        yield f"the bank holds {held}"
    if payment.capturing_minor or payment.refunding_minor:
        yield "something is still being captured or refunded"


def _in_the_books(payment: Payment, entries: Sequence[LedgerEntry]) -> Iterator[str]:
    kept = payment.captured_minor - payment.refunded_minor
    expected = {LedgerAccount.PROVIDER_RECEIVABLE: kept, LedgerAccount.MERCHANT_PAYABLE: -kept}
    for account in LedgerAccount:
        debited = sum(entry.amount_minor for entry in entries if entry.account == account)
        if debited != expected.get(account, 0):
            yield f"{account} has {debited}"


def _in_the_events(world: World, payment: Payment, events: Sequence[PaymentEvent]) -> Iterator[str]:
    head = ""
    for event in sorted(events, key=lambda event: event.sequence):
        head = seal(world.config.event_key, head, event.body)
        if event.mac != head:
            yield f"event {event.sequence} does not follow from the one before"
    if (payment.event_count, payment.event_head) != (len(events), head):
        yield "the chain of events does not end where the payment says"
