"""Finds out what became of a capture, void or refund whose outcome is open, and settles it."""

from datetime import datetime

from service_kit.clock import utc_now
from service_kit.deadlines import time_budget
from service_kit.web.http_client import NotSent

from payment_service.domain.settlement.follow_up import F, FollowUp
from payment_service.domain.settlement.follow_up_settler import FollowUpSettlement, settle_follow_up
from payment_service.extensions import db
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.hold_reconciliation import make_sure_of_hold
from payment_service.processing.inquiry import inquire_or_abandon
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.values.statuses import MovementState


def inquire(movement: F, dependencies: Dependencies, *, within_s: float, actor: str) -> FollowUpSettlement[F]:
    """Ask, settle, and return how things stand now; ``within_s`` bounds the asking, not the settling."""
    with time_budget(within_s):
        result = _find_out(movement, dependencies, utc_now())
    now = utc_now()
    seen = MovementState(movement.state)
    rules = dependencies.settler.rules
    return db.in_transaction(
        lambda session: settle_follow_up(session, rules, movement, result, now, actor=actor, seen_state=seen)
    )


def _find_out(movement: FollowUp, dependencies: Dependencies, now: datetime) -> ProviderResult:
    provider = dependencies.providers[movement.provider]
    try:
        answer = inquire_or_abandon(movement, provider, dependencies, now)
    except NotSent as exc:
        return ProviderResult(Outcome.PENDING, detail=str(exc))
    return make_sure_of_hold(movement, answer, provider, dependencies)
