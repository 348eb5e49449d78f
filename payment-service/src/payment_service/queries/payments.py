"""Reads payments as the lab surface and the payment page may see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from service_kit.clock import utc_now
from service_kit.db.columns import is_exactly
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from payment_service.domain.payments.claims import latest_attempt
from payment_service.domain.payments.references import PaymentReference
from payment_service.errors import PaymentNotFound
from payment_service.extensions import db
from payment_service.models.merchant import Merchant
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.queries.pagination import Conditions, Listing, Page, PageRequest, limited, read_page
from payment_service.values.statuses import AttemptKind


@dataclass(frozen=True, slots=True)
class PaymentWithContext:
    """A payment with its merchant and the last try to pay it, if there was one."""

    payment: Payment
    merchant: Merchant
    attempt: PaymentAttempt | None


def get_payment_with_context(reference: PaymentReference) -> PaymentWithContext:
    """Return a payment with everything that its page shows.

    Raises:
        PaymentNotFound: there is none for this caller.
    """
    with db.reading() as session:
        row = session.execute(
            select(Payment, Merchant)
            .join(Merchant, Merchant.id == Payment.merchant_id)
            .where(reference.condition())
        ).one_or_none()
        if row is None:
            raise reference.not_found()
        return PaymentWithContext(row[0], row[1], latest_attempt(session, row[0]))


def get_returned_attempt(return_token: str) -> PaymentAttempt:
    """Return the attempt of which a browser comes back from its bank.

    Raises:
        PaymentNotFound: no attempt has this token.
    """
    statement = select(PaymentAttempt).where(PaymentAttempt.return_token == return_token)
    with db.reading() as session:
        attempt = session.scalar(statement)
    if attempt is None:
        raise PaymentNotFound("checkout")
    return attempt


# A payment and the last try to pay it.
Attempted = tuple[Payment, PaymentAttempt | None]


def get_payment_of_merchant(reference: PaymentReference) -> Attempted:
    """Return a payment and its last attempt.

    Raises:
        PaymentNotFound: there is none for this caller.
    """
    with db.reading() as session:
        row = session.scalar(select(Payment).where(reference.condition()))
        if row is None:
            raise reference.not_found()
        return row, latest_attempt(session, row)


_CONDITIONS: Conditions = {
    "status": lambda status: Payment.status == status,
    "order_id": lambda order_id: is_exactly(Payment.order_id, order_id),
    "customer": lambda customer: is_exactly(Payment.user_id, customer),
    "created_from": lambda moment: Payment.created_at >= moment,
    "created_to": lambda moment: Payment.created_at < moment,
    "amount_from": lambda amount_minor: Payment.amount_minor >= amount_minor,
    "amount_to": lambda amount_minor: Payment.amount_minor <= amount_minor,
    "older_than": lambda age_s: Payment.created_at < utc_now() - timedelta(seconds=age_s),
}


def list_payments(merchant_id: int, page: PageRequest, **filters: Any) -> Page[Attempted]:
    """Return a page of the merchant's payments, newest first; the filters are those of ``_CONDITIONS``.

    Raises:
        CursorUnknown: the merchant has no payment with the cursor's id.
    """
    order = (Payment.created_at, Payment.id)
    listing = Listing(order, Payment.public_id, Payment.merchant_id == merchant_id, "created_at")
    with db.reading() as session:
        found = read_page(session, limited(select(Payment), filters, _CONDITIONS), listing, page)
        return Page(_with_attempts(session, found.rows), found.has_more)


def _with_attempts(session: Session, payments: Sequence[Payment]) -> list[Attempted]:
    if not payments:
        # MySQL and MariaDB read every attempt to find that none is in an empty list.
        return []
    latest = (
        select(func.max(PaymentAttempt.id).label("id"))
        .where(
            PaymentAttempt.payment_id.in_([payment.id for payment in payments]),
            PaymentAttempt.kind != AttemptKind.REVERSAL,
        )
        .group_by(PaymentAttempt.payment_id)
        .subquery()
    )
    # A join: MySQL would look at every attempt to find those that are IN a grouped SELECT.
    found = session.scalars(select(PaymentAttempt).join(latest, PaymentAttempt.id == latest.c.id))
    attempts = {attempt.payment_id: attempt for attempt in found}
    return [(payment, attempts.get(payment.id)) for payment in payments]
