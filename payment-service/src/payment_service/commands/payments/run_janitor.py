"""The janitor: finds out what became of whatever a dead thread left behind."""

from datetime import datetime, timedelta

import structlog
from service_kit.clock import utc_now
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from payment_service.commands.dependencies import Dependencies
from payment_service.commands.payments.ask_provider import ask_provider
from payment_service.extensions import db
from payment_service.models.payments.payment_attempt import PaymentAttempt

log = structlog.get_logger(__name__)


def run_janitor(dependencies: Dependencies, *, limit: int = 20) -> int:
    """Ask about up to ``limit`` attempts that are due, settle them, and return how many were asked about.

    An ask is leased like a row of the outbox: of two janitors one asks, and a killed one is replaced when
    the lease ends. One that fails is logged and comes again; the others go on.
    """
    claimed = _claim(limit, dependencies)
    for attempt in claimed:
        try:
            settlement = ask_provider(attempt, dependencies, within_s=dependencies.config.limits.ask_s)
        except Exception:
            # Whatever it was, its lease runs out and it comes again; the others need not wait for that.
            log.exception("ask_failed", attempt=attempt.public_id)
            continue
        log.info(
            "asked_about_attempt",
            payment=settlement.payment.public_id,
            attempt=settlement.attempt.public_id,
            state=settlement.attempt.state,
        )
        if settlement.payment.is_paid:
            dependencies.waker.wake()
    return len(claimed)


def _claim(limit: int, dependencies: Dependencies) -> list[PaymentAttempt]:
    now = utc_now()
    due = select(PaymentAttempt.id).where(PaymentAttempt.next_ask_at <= now)
    with db.reading() as session:
        # Look before locking: most turns find nothing.
        if session.execute(due.limit(1)).first() is None:
            return []
    lease_end = now + timedelta(seconds=dependencies.config.limits.ask_lease_s)
    return db.in_transaction(lambda session: _lease(session, limit, now, lease_end))


def _lease(session: Session, limit: int, now: datetime, lease_end: datetime) -> list[PaymentAttempt]:
    ids = list(
        session.scalars(
            select(PaymentAttempt.id)
            .where(PaymentAttempt.next_ask_at <= now)
            .order_by(PaymentAttempt.next_ask_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )
    if not ids:
        return []
    session.execute(
        update(PaymentAttempt)
        .where(PaymentAttempt.id.in_(ids))
        .values(next_ask_at=lease_end, ask_count=PaymentAttempt.ask_count + 1)
        .execution_options(synchronize_session=False)
    )
    attempts = list(
        session.scalars(
            select(PaymentAttempt).where(PaymentAttempt.id.in_(ids)).execution_options(populate_existing=True)
        )
    )
    # Free of the session: a rollback of one settlement must not make the next one read its row again.
    session.expunge_all()
    return attempts
