"""Collects what the rules look at: two SELECTs, whatever the history of a card."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, ScalarSelect, and_, bindparam, func, literal, or_, select, true
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
    parameters: dict[str, Any] = {subject.value: subjects.get(subject) for subject in Subject}
    parameters["now"] = now
    return tuple(entry.as_value() for entry in session.scalars(LISTED, parameters))


def _counters(
    session: Session, attempt: Attempt, ip: str | None, thresholds: Thresholds, now: datetime
) -> Counters:
    """Count the attempts that came before, and add this one.

    Whoever is stored by now with the same time came before: ids grow, so ties are ordered by (time, id).
    """
    parameters = {
        "now": now,
        "fingerprint": attempt.card.fingerprint,
        "merchant_id": attempt.merchant_id,
        "user_id": attempt.user_id,
        "ip": ip,
        **_window("card", thresholds.velocity_card, now),
        **_window("user", thresholds.velocity_user, now),
        **_window("ip", thresholds.velocity_ip, now),
    }
    before = session.execute(COUNTERS, parameters).one()
    return Counters(before.card + 1, before.user + 1, None if ip is None else before.ip + 1)


def _window(name: str, limit: VelocityLimit, now: datetime) -> dict[str, Any]:
    return {f"{name}_since": now - timedelta(seconds=limit.window_s), f"{name}_limit": limit.attempts}


def _count(name: str, subject: ColumnElement[bool]) -> ScalarSelect[int]:
    """Return the number of counted attempts in the window (since, now], at most the limit.

    The limit ends the scan: a card with a hundred thousand attempts costs no more than one at its limit.
    """
    in_window = (
        select(literal(1))
        .where(
            subject,
            Assessment.is_counted == true(),
            Assessment.assessed_at > bindparam(f"{name}_since"),
            Assessment.assessed_at <= bindparam("now"),
        )
        .limit(bindparam(f"{name}_limit", type_=Integer))
        .subquery()
    )
    return select(func.count()).select_from(in_window).scalar_subquery()


# Both statements are built once: building them again took longer than running them.
COUNTERS = select(
    _count("card", Assessment.card_fingerprint == bindparam("fingerprint")).label("card"),
    _count(
        "user",
        and_(Assessment.merchant_id == bindparam("merchant_id"), Assessment.user_id == bindparam("user_id")),
    ).label("user"),
    _count("ip", Assessment.ip == bindparam("ip")).label("ip"),
)
LISTED = (
    select(ListEntry)
    .where(
        or_(
            *(
                and_(ListEntry.subject == subject, ListEntry.value == bindparam(subject.value))
                for subject in Subject
            )
        ),
        or_(ListEntry.expires_at.is_(None), ListEntry.expires_at > bindparam("now")),
    )
    .order_by(ListEntry.id)
)
