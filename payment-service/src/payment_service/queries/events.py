"""Reads what happened: to all of a merchant's payments, or to one."""

from typing import Any

from sqlalchemy import select

from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.positions import EVENTS
from payment_service.extensions import db
from payment_service.models.payment import PaymentEvent
from payment_service.queries.pagination import Conditions, Listing, Page, PageRequest, limited, read_page
from payment_service.queries.positions import read_log_page

_CONDITIONS: Conditions = {
    "type": lambda kind: PaymentEvent.type == kind,
    "created_from": lambda moment: PaymentEvent.created_at >= moment,
    "created_to": lambda moment: PaymentEvent.created_at < moment,
}


def list_events(
    merchant_id: int, page: PageRequest, *, payment: str | None = None, **filters: Any
) -> Page[PaymentEvent]:
    """Return a page of the merchant's events, or of one payment's, newest first.

    The other filters are those of ``_CONDITIONS``. An event that has no position yet is in no list but its
    payment's: see ``give_positions``.

    Raises:
        CursorUnknown: the merchant has no event with the cursor's id, or the payment has not.
    """
    with db.reading() as session:
        if payment is None:
            return read_log_page(session, EVENTS, merchant_id, page, **filters)
        payment_id = MerchantPayment(merchant_id, payment).find_id(session)
        if payment_id is None:
            return Page([], has_more=False)
        statement = limited(select(PaymentEvent), filters, _CONDITIONS)
        return read_page(session, statement, _of_payment(payment_id), page)


def list_events_of_payment(reference: MerchantPayment, page: PageRequest) -> Page[PaymentEvent]:
    """Return a page of one payment's events, newest first.

    Raises:
        PaymentNotFound: the merchant has no such payment.
        CursorUnknown: the payment has no event with the cursor's id.
    """
    with db.reading() as session:
        payment_id = reference.find_id(session)
        if payment_id is None:
            raise reference.not_found()
        return read_page(session, select(PaymentEvent), _of_payment(payment_id), page)


def _of_payment(payment_id: int) -> Listing:
    """Return the order of one payment's events: there are few, and their sequence is exact."""
    owned = PaymentEvent.payment_id == payment_id
    return Listing((PaymentEvent.sequence,), PaymentEvent.public_id, owned)
