"""Collects what the rules look at: one SELECT, whatever the history of a card."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, ScalarSelect, and_, bindparam, func, literal, or_, select, true
from sqlalchemy.orm import Session

from fraud_service.models import Assessment, ListEntry
from fraud_service.values.attempt import Attempt
from fraud_service.values.inputs import Counters, Inputs, Thresholds, VelocityLimit
from fraud_service.values.subjects import subject_values
from fraud_service.values.vocabulary import Subject


def gather_inputs(session: Session, attempt: Attempt, thresholds: Thresholds, now: datetime) -> Inputs:
    subjects = subject_values(attempt)
    rows = session.execute(GATHERED, _parameters(attempt, subjects, thresholds, now)).all()
    # The counters stand beside each entry that fits, or beside none.
    before = rows[0]
    listed = [row.ListEntry for row in rows if row.ListEntry is not None]
    return Inputs(
        attempt=attempt,
        # This one comes after those that are stored by now with the same time: ids grow, so ties are ordered
        # by (time, id).
        counters=Counters(
            before.card + 1, before.user + 1, before.ip + 1 if Subject.IP in subjects else None
        ),
        thresholds=thresholds,
        listed=tuple(entry.as_value() for entry in sorted(listed, key=lambda entry: entry.id)),
    )


def _parameters(
    attempt: Attempt, subjects: dict[Subject, str], thresholds: Thresholds, now: datetime
) -> dict[str, Any]:
    return {
        **{subject.value: subjects.get(subject) for subject in Subject},
        "now": now,
        "merchant_id": attempt.merchant_id,
        "user_id": attempt.user_id,
        **_window("card", thresholds.velocity_card, now),
        **_window("user", thresholds.velocity_user, now),
        **_window("ip", thresholds.velocity_ip, now),
    }


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


_BEFORE = select(
    _count("card", Assessment.card_fingerprint == bindparam(Subject.CARD_FINGERPRINT.value)).label("card"),
    _count(
        "user",
        and_(Assessment.merchant_id == bindparam("merchant_id"), Assessment.user_id == bindparam("user_id")),
    ).label("user"),
    _count("ip", Assessment.ip == bindparam(Subject.IP.value)).label("ip"),
).subquery()
_FITS = or_(
    *(and_(ListEntry.subject == subject, ListEntry.value == bindparam(subject.value)) for subject in Subject)
)
_IN_FORCE = or_(ListEntry.expires_at.is_(None), ListEntry.expires_at > bindparam("now"))
# Built once: building it again would take longer than running it.
GATHERED = select(_BEFORE, ListEntry).select_from(_BEFORE.outerjoin(ListEntry, and_(_FITS, _IN_FORCE)))
