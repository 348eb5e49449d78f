"""Collects what the rules look at: two SELECTs, whatever the history of a card."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, literal, null, or_, select, true
from sqlalchemy.orm import Session

from fraud_service.models import Assessment, ListEntry
from fraud_service.values.attempt import Attempt
from fraud_service.values.inputs import Counters, Inputs, ListedValue, Thresholds, VelocityLimit
from fraud_service.values.subjects import subject_values
from fraud_service.values.vocabulary import Subject


def gather_inputs(session: Session, attempt: Attempt, thresholds: Thresholds, now: datetime) -> Inputs:
    """Return everything that is known about ``attempt`` at ``now``."""
    subjects = subject_values(attempt)
    return Inputs(
        attempt=attempt,
        counters=_counters(session, attempt, subjects.get(Subject.IP), thresholds, now),
        thresholds=thresholds,
        listed=_listed(session, subjects, now),
    )


def _listed(session: Session, subjects: dict[Subject, str], now: datetime) -> tuple[ListedValue, ...]:
    is_about = or_(
        *(and_(ListEntry.subject == subject, ListEntry.value == value) for subject, value in subjects.items())
    )
    is_in_force = or_(ListEntry.expires_at.is_(None), ListEntry.expires_at > now)
    entries = session.scalars(select(ListEntry).where(is_about, is_in_force).order_by(ListEntry.id))
    return tuple(entry.as_value() for entry in entries)


def _counters(
    session: Session, attempt: Attempt, ip: str | None, thresholds: Thresholds, now: datetime
) -> Counters:
    """Count the attempts that came before, and add this one.

    Whoever is stored by now with the same time came before: ids grow, so ties are ordered by (time, id).
    """
    card = Assessment.card_fingerprint == attempt.card.fingerprint
    user = and_(Assessment.merchant_id == attempt.merchant_id, Assessment.user_id == attempt.user_id)
    before = session.execute(
        select(
            count_in_window(card, thresholds.velocity_card, now),
            count_in_window(user, thresholds.velocity_user, now),
            null() if ip is None else count_in_window(Assessment.ip == ip, thresholds.velocity_ip, now),
        )
    ).one()
    return Counters(before[0] + 1, before[1] + 1, None if before[2] is None else before[2] + 1)


def count_in_window(subject: ColumnElement[bool], limit: VelocityLimit, now: datetime) -> ScalarSelect[int]:
    """Return the number of counted attempts in the window (now - window_s, now], at most the limit.

    The limit ends the scan: a card with a hundred thousand attempts costs no more than one at its limit.
    """
    in_window = (
        select(literal(1))
        .where(
            subject,
            Assessment.is_counted == true(),
            Assessment.assessed_at > now - timedelta(seconds=limit.window_s),
            Assessment.assessed_at <= now,
        )
        .limit(limit.attempts)
        .subquery()
    )
    return select(func.count()).select_from(in_window).scalar_subquery()
