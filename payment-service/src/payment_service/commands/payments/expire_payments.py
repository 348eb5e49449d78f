"""Closes payments that nobody paid in time."""

from datetime import datetime

import structlog
from service_kit.clock import utc_now
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.commands.dependencies import Dependencies
from payment_service.domain.payments.actors import JANITOR
from payment_service.domain.payments.events import EventKey, record_event
from payment_service.domain.payments.transitions import PAYABLE, change_status
from payment_service.extensions import db
from payment_service.models.payments.payment import Payment
from payment_service.values.statuses import PaymentStatus

log = structlog.get_logger(__name__)


def expire_payments(dependencies: Dependencies, *, limit: int = 100) -> int:
    """Expire up to ``limit`` payments that are due, and return how many.

    A payment with an open movement is processing, and so is not due: expiry waits for its outcome.
    One that fails is logged and comes again; the others go on.
    """
    now = utc_now()
    with db.reading() as session:
        due = list(
            session.scalars(
                select(Payment.id).where(Payment.status.in_(PAYABLE), Payment.expires_at <= now).limit(limit)
            )
        )
    key = dependencies.settler.rules.event_key
    expired = 0
    for payment_id in due:
        try:
            expired += _expire(payment_id, key, now)
        except Exception:
            # One broken payment must not keep all others payable for ever.
            log.exception("expiry_failed", payment=payment_id)
    return expired


def _expire(payment_id: int, key: EventKey, now: datetime) -> int:
    def work(session: Session) -> int:
        payment = session.scalars(select(Payment).where(Payment.id == payment_id).with_for_update()).one()
        if payment.status not in PAYABLE:
            return 0
        change_status(payment, PaymentStatus.EXPIRED)
        record_event(session, key, payment, "payment.expired", now, {}, actor=JANITOR)
        return 1

    return db.in_transaction(work)
