"""Reads payments as the lab surface and the payment page may see them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service_kit.clock import utc_now
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from payment_service.domain.payments.claims import latest_attempt
from payment_service.domain.payments.references import PaymentReference
from payment_service.errors import PaymentNotFound
from payment_service.extensions import db
from payment_service.models.merchant import Merchant
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.queries.pagination import Listing, Page, PageRequest, read_page
from payment_service.values.statuses import AttemptKind, PaymentStatus, Surface


@dataclass(frozen=True, slots=True)
class PaymentWithContext:
    """A payment with its merchant and the last try to pay it, if there was one."""

    payment: Payment
    merchant: Merchant
    attempt: PaymentAttempt | None


def get_payment(payment_id: int) -> Payment:
    """Return a payment that was created on the lab surface.

    Raises:
        PaymentNotFound: there is none with this id.
    """
    statement = select(Payment).where(Payment.id == payment_id, Payment.surface == Surface.LAB)
    with db.reading() as session:
        payment = session.scalar(statement)
    if payment is None:
        raise PaymentNotFound(str(payment_id))
    return payment


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


@dataclass(frozen=True, slots=True)
class PaymentWithAttempt:
    payment: Payment
    attempt: PaymentAttempt | None


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """What a list of payments is limited to; amounts in minor units, both ends included."""

    status: PaymentStatus | None = None
    order_id: str | None = None
    customer: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    older_than: timedelta | None = None


def get_payment_of_merchant(reference: PaymentReference) -> PaymentWithAttempt:
    """Return a payment and its last attempt.

    Raises:
        PaymentNotFound: there is none for this caller.
    """
    with db.reading() as session:
        payment = session.scalar(select(Payment).where(reference.condition()))
        if payment is None:
            raise reference.not_found()
        (found,) = _with_attempts(session, [payment])
    return found


def list_payments(merchant_id: int, limits: PaymentFilter, page: PageRequest) -> Page[PaymentWithAttempt]:
    """Return a page of the merchant's payments, newest first.

    Raises:
        CursorUnknown: the merchant has no payment with the cursor's id.
    """
    order = (Payment.created_at, Payment.id)
    listing = Listing(order, Payment.public_id, Payment.merchant_id == merchant_id)
    with db.reading() as session:
        found = read_page(session, _limited(select(Payment), limits), listing, page)
        return Page(_with_attempts(session, found.rows), found.has_more)


_CONDITIONS: Mapping[str, Callable[[Any], ColumnElement[bool]]] = {
    "status": lambda status: Payment.status == status,
    "order_id": lambda order_id: Payment.order_id == order_id,
    "customer": lambda customer: Payment.user_id == customer,
    "created_from": lambda moment: Payment.created_at >= moment,
    "created_to": lambda moment: Payment.created_at < moment,
    "amount_from": lambda amount_minor: Payment.amount_minor >= amount_minor,
    "amount_to": lambda amount_minor: Payment.amount_minor <= amount_minor,
    "older_than": lambda age: Payment.created_at < utc_now() - age,
}


def _limited(statement: Select[Payment], limits: PaymentFilter) -> Select[Payment]:
    given = {name: getattr(limits, name) for name in _CONDITIONS}
    return statement.where(*(_CONDITIONS[name](value) for name, value in given.items() if value is not None))


def _with_attempts(session: Session, payments: Sequence[Payment]) -> list[PaymentWithAttempt]:
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
    return [PaymentWithAttempt(payment, attempts.get(payment.id)) for payment in payments]
