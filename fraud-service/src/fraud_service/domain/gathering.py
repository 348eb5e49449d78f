"""Collects what the rules look at: one SELECT, whatever the history of a card."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from fraud_service.models import Assessment, ListEntry
from fraud_service.values.attempt import Attempt
from fraud_service.values.inputs import CardsLimit, Counters, Inputs, Thresholds, VelocityLimit
from fraud_service.values.subjects import subject_values
from fraud_service.values.vocabulary import Subject, TryResult

# How long an attempt counts as unpaid while we are told nothing: cards that are tried at once count at once,
# and when news of payments is late, those who pay meanwhile are not held to be testing cards.
OPEN_COUNTS = timedelta(seconds=120)
_UNPAID = (TryResult.OPEN, TryResult.DECLINED, TryResult.WRONG_CVV)


def gather_inputs(session: Session, attempt: Attempt, thresholds: Thresholds, now: datetime) -> Inputs:
    subjects = subject_values(attempt)
    rows = session.execute(GATHERED, _parameters(attempt, subjects, thresholds, now)).all()
    # The counters stand beside each entry that fits, or beside none.
    listed = [row.ListEntry for row in rows if row.ListEntry is not None]
    return Inputs(
        attempt=attempt,
        counters=_counters(rows[0], has_address=Subject.IP in subjects),
        thresholds=thresholds,
        listed=tuple(entry.as_value() for entry in sorted(listed, key=lambda entry: entry.id)),
    )


def _counters(before: Row[Any], *, has_address: bool) -> Counters:
    """Add this attempt and its card, of which the counts before it know nothing.

    It comes after those that are stored by now with the same time: ids grow, so ties are ordered by
    (time, id).
    """
    return Counters(
        card=before.card + 1,
        user=before.user + 1,
        ip=before.ip + 1 if has_address else None,
        ip_cards=before.ip_cards + 1 if has_address else None,
        ip_cards_paid=before.ip_cards_paid if has_address else None,
        bin_cards=before.bin_cards + 1,
        bin_cards_paid=before.bin_cards_paid,
        wrong_cvvs=before.wrong_cvvs,
        wrong_cvvs_here=before.wrong_cvvs_here,
    )


def _parameters(
    attempt: Attempt, subjects: dict[Subject, str], thresholds: Thresholds, now: datetime
) -> dict[str, Any]:
    return {
        **{subject.value: subjects.get(subject) for subject in Subject},
        "now": now,
        "open_since": now - OPEN_COUNTS,
        "merchant_id": attempt.merchant_id,
        "user_id": attempt.user_id,
        **_window("card", thresholds.velocity_card, now),
        **_window("user", thresholds.velocity_user, now),
        **_window("ip", thresholds.velocity_ip, now),
        **_window("ip_cards", thresholds.cards_ip, now),
        **_window("bin_cards", thresholds.cards_bin, now),
        **_window("wrong_cvvs", thresholds.wrong_cvv, now),
    }


def _window(name: str, limit: VelocityLimit | CardsLimit, now: datetime) -> dict[str, Any]:
    at_most = limit.attempts if isinstance(limit, VelocityLimit) else limit.cards
    return {f"{name}_since": now - timedelta(seconds=limit.window_s), f"{name}_limit": at_most}


def _in_window(name: str, *conditions: ColumnElement[bool]) -> Sequence[ColumnElement[bool]]:
    return (
        *conditions,
        Assessment.assessed_at > bindparam(f"{name}_since"),
        Assessment.assessed_at <= bindparam("now"),
    )


def _at_most(found: Select[Any], limit: str | int) -> ScalarSelect[int]:
    """Return the number of rows, at most the limit.

    The limit ends the scan: a card with a hundred thousand attempts costs no more than one at its limit.
    """
    most = bindparam(f"{limit}_limit", type_=Integer) if isinstance(limit, str) else limit
    return select(func.count()).select_from(found.limit(most).subquery()).scalar_subquery()


def _attempts(name: str, *conditions: ColumnElement[bool], limit: int | None = None) -> ScalarSelect[int]:
    """Count the attempts that the limits let through."""
    counted = Assessment.is_counted == true()
    return _at_most(select(literal(1)).where(*_in_window(name, *conditions, counted)), limit or name)


def _cards(name: str, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """Count different cards besides this one."""
    is_other = Assessment.card_fingerprint != bindparam(Subject.CARD_FINGERPRINT.value)
    found = select(Assessment.card_fingerprint).where(*_in_window(name, *conditions, is_other))
    return _at_most(found.distinct(), name)


_IS_HERE = Assessment.merchant_id == bindparam("merchant_id")
_WITH_CARD = Assessment.card_fingerprint == bindparam(Subject.CARD_FINGERPRINT.value)
_FROM_ADDRESS = (_IS_HERE, Assessment.ip == bindparam(Subject.IP.value), Assessment.is_counted == true())
_OF_BIN = (_IS_HERE, Assessment.bin == bindparam(Subject.BIN.value))
_HAS_PAID = Assessment.result == TryResult.PAID
_HAD_WRONG_CVV = Assessment.result == TryResult.WRONG_CVV
_DID_NOT_PAY = (
    # Spelled out: an IN would be rendered anew for each request.
    or_(*(Assessment.result == result for result in _UNPAID)),
    or_(Assessment.result != TryResult.OPEN, Assessment.assessed_at > bindparam("open_since")),
)
_BEFORE = select(
    _attempts("card", _WITH_CARD, _IS_HERE).label("card"),
    _attempts("user", _IS_HERE, Assessment.user_id == bindparam("user_id")).label("user"),
    _attempts("ip", *_FROM_ADDRESS).label("ip"),
    _cards("ip_cards", *_FROM_ADDRESS, *_DID_NOT_PAY).label("ip_cards"),
    _cards("ip_cards", *_FROM_ADDRESS, _HAS_PAID).label("ip_cards_paid"),
    _cards("bin_cards", *_OF_BIN, *_DID_NOT_PAY).label("bin_cards"),
    _cards("bin_cards", *_OF_BIN, _HAS_PAID).label("bin_cards_paid"),
    _attempts("wrong_cvvs", _WITH_CARD, _HAD_WRONG_CVV).label("wrong_cvvs"),
    _attempts("wrong_cvvs", _WITH_CARD, _HAD_WRONG_CVV, _IS_HERE, limit=1).label("wrong_cvvs_here"),
).subquery()
_FITS = or_(
    *(and_(ListEntry.subject == subject, ListEntry.value == bindparam(subject.value)) for subject in Subject)
)
_IN_FORCE = or_(ListEntry.expires_at.is_(None), ListEntry.expires_at > bindparam("now"))
# Built once: building it again would take longer than running it.
GATHERED = select(_BEFORE, ListEntry).select_from(_BEFORE.outerjoin(ListEntry, and_(_FITS, _IN_FORCE)))
