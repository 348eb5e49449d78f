"""Reads what happened: to all of a merchant's payments, or to one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from payment_service.domain.payments.references import MerchantPayment
from payment_service.extensions import db
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.queries.pagination import Listing, Page, PageRequest, given, read_page


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What a list of events is limited to; ``created_to`` is not included."""

    type: str | None = None
    payment: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


def list_events(merchant_id: int, limits: EventFilter, page: PageRequest) -> Page[PaymentEvent]:
    """Return a page of the merchant's events, newest first.

    Raises:
        CursorUnknown: the merchant has no event with the cursor's id, or the payment has not.
    """
    order = (PaymentEvent.created_at, PaymentEvent.id)
    listing = Listing(order, PaymentEvent.public_id, PaymentEvent.merchant_id == merchant_id)
    with db.reading() as session:
        if limits.payment is not None:
            payment_id = _find_payment(session, MerchantPayment(merchant_id, limits.payment))
            if payment_id is None:
                return Page([], has_more=False)
            listing = _of_payment(payment_id)
        return read_page(session, _limited(limits), listing, page)


def list_events_of_payment(reference: MerchantPayment, page: PageRequest) -> Page[PaymentEvent]:
    """Return a page of one payment's events, newest first.

    Raises:
        PaymentNotFound: the merchant has no such payment.
        CursorUnknown: the payment has no event with the cursor's id.
    """
    with db.reading() as session:
        payment_id = _find_payment(session, reference)
        if payment_id is None:
            raise reference.not_found()
        return read_page(session, select(PaymentEvent), _of_payment(payment_id), page)


def _of_payment(payment_id: int) -> Listing:
    """Return the order of one payment's events: there are few, and their sequence is exact."""
    owned = PaymentEvent.payment_id == payment_id
    return Listing((PaymentEvent.sequence,), PaymentEvent.public_id, owned)


def _find_payment(session: Session, reference: MerchantPayment) -> int | None:
    if not reference.public_id.isascii():
        # MySQL compares a column of ASCII keys with nothing else.
        return None
    return session.scalar(select(Payment.id).where(reference.condition()))


def _limited(limits: EventFilter) -> Select[PaymentEvent]:
    statement = select(PaymentEvent).filter_by(**given(type=limits.type))
    if limits.created_from is not None:
        statement = statement.where(PaymentEvent.created_at >= limits.created_from)
    if limits.created_to is not None:
        statement = statement.where(PaymentEvent.created_at < limits.created_to)
    return statement
