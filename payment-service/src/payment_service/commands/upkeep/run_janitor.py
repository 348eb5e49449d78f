"""The janitor: finds out what became of whatever a dead thread left behind, in all tables of movements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from service_kit.clock import utc_now
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from payment_service.domain.payments.events import JANITOR
from payment_service.domain.payments.locks import Model
from payment_service.extensions import db
from payment_service.models.movement import MOVEMENTS, AnyMovement
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.inquiry import inquire

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A movement that was asked about, and how it and its payment stand since; no state: asking failed."""

    movement_id: str
    payment_id: str | None = None
    movement_state: str | None = None
    payment_status: str | None = None


def run_janitor(dependencies: Dependencies, *, limit: int = 20) -> Sequence[Asked]:
    """Ask about up to ``limit`` movements of each kind that are due, settle them, and say what came of it.

    An ask is leased like a row of the outbox: of two janitors one asks, and a killed one is replaced when
    the lease ends. One that fails is logged and comes again; the others go on.
    """
    return [
        _ask(movement, dependencies) for table in MOVEMENTS for movement in _claim(table, limit, dependencies)
    ]


def _ask(movement: AnyMovement, dependencies: Dependencies) -> Asked:
    try:
        settled = inquire(movement, dependencies, actor=JANITOR)
    except Exception:
        # Whatever it was, its lease runs out and it comes again; the others need not wait for that.
        log.exception("ask_failed", movement=movement.public_id)
        return Asked(movement.public_id)
    payment, state = settled.payment, settled.movement.state
    log.info("asked_about_movement", payment=payment.public_id, movement=movement.public_id, state=state)
    return Asked(movement.public_id, payment.public_id, state, payment.status)


def _claim(table: type[Model], limit: int, dependencies: Dependencies) -> Sequence[Model]:
    now = utc_now()
    due = select(table.id).where(table.next_ask_at <= now)
    with db.reading() as session:
        # Look before locking: most turns find nothing.
        if session.execute(due.limit(1)).first() is None:
            return []
    lease_end = now + timedelta(seconds=dependencies.config.limits.ask_lease_s)
    return db.in_transaction(lambda session: _lease(session, table, limit, now, lease_end))


def _lease(
    session: Session, table: type[Model], limit: int, now: datetime, lease_end: datetime
) -> Sequence[Model]:
    ids = list(
        session.scalars(
            select(table.id)
            .where(table.next_ask_at <= now)
            .order_by(table.next_ask_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )
    if not ids:
        return []
    session.execute(
        update(table)
        .where(table.id.in_(ids))
        .values(next_ask_at=lease_end, ask_count=table.ask_count + 1)
        .execution_options(synchronize_session=False)
    )
    movements = list(
        session.scalars(select(table).where(table.id.in_(ids)).execution_options(populate_existing=True))
    )
    # Free of the session: a rollback of one settlement must not make the next one read its row again.
    session.expunge_all()
    return movements
