"""Settling a capture, a void or a refund: here alone a provider's word changes what we hold for true.

The sending thread, the janitor and webhooks come here; Settler does the same for attempts (docs/adr/0005).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

import structlog
from sqlalchemy.orm import Session

from payment_service.domain.payments.locks import lock_movement, lock_payment
from payment_service.domain.settlement.captures import captured, not_captured
from payment_service.domain.settlement.context import Rules
from payment_service.domain.settlement.follow_up import KINDS, F, FollowUp, FollowUpScene
from payment_service.domain.settlement.refunds import not_refunded, refunded
from payment_service.domain.settlement.voids import not_released, released
from payment_service.models.movement import Capture, Refund, Void
from payment_service.models.payment import Payment
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.values.statuses import MovementState

log = structlog.get_logger(__name__)

_FINAL_STATES: Mapping[Outcome, MovementState] = {
    Outcome.APPROVED: MovementState.APPROVED,
    Outcome.DECLINED: MovementState.DECLINED,
    Outcome.ABANDONED: MovementState.ABANDONED,
    Outcome.NOT_SENT: MovementState.NOT_SENT,
}


@dataclass(frozen=True, slots=True)
class FollowUpSettlement(Generic[F]):
    """How things stand after settling: read, not to be changed."""

    payment: Payment
    movement: F


@dataclass(frozen=True, slots=True)
class _Effects:
    """What the end of a movement does to its payment: when it was carried out, and when it surely was not."""

    done: Callable[[FollowUpScene[Any]], None]
    not_done: Callable[[FollowUpScene[Any]], None]


_EFFECTS: Mapping[type[FollowUp], _Effects] = {
    Capture: _Effects(captured, not_captured),
    Void: _Effects(released, not_released),
    Refund: _Effects(refunded, not_refunded),
}


def settle_follow_up(
    session: Session,
    rules: Rules,
    movement: F,
    result: ProviderResult,
    now: datetime,
    *,
    actor: str,
    seen_state: MovementState | None = None,
) -> FollowUpSettlement[F]:
    """Apply ``result`` once, whoever brings it and however often; ``movement`` as it was read before.

    Open: applied. Final and equal: nothing. No news never overwrites. Any other difference: an event and
    an alert, no change.

    ``seen_state`` is the state that led to NOT_SENT: a sender who went on meanwhile is not undone.
    """
    payment = lock_payment(session, movement.payment_id)
    locked = lock_movement(session, type(movement), movement.id)
    scene = FollowUpScene(session, rules, payment, locked, now, actor)
    if locked.is_open:
        if result.outcome is not Outcome.NOT_SENT or seen_state in {None, locked.state}:
            _apply(scene, result)
    elif result.outcome in _FINAL_STATES and result.outcome is not Outcome.NOT_SENT:
        _compare_with_final(scene, result)
    return FollowUpSettlement(payment, locked)


def _apply(scene: FollowUpScene[Any], result: ProviderResult) -> None:
    movement, outcome = scene.movement, result.outcome
    movement.last_error = result.detail and result.detail[:255]
    if outcome not in _FINAL_STATES or (
        outcome is Outcome.NOT_SENT and movement.state == MovementState.UNKNOWN
    ):
        # After one unknown try a movement stays unknown, whatever a later try met.
        movement.state = MovementState.UNKNOWN
        scene.keep_asking()
    elif outcome is Outcome.APPROVED and result.amount not in {None, movement.amount}:
        _note_other_amount(scene, result)
    else:
        movement.end(_FINAL_STATES[outcome], scene.now)
        movement.decline_code = result.decline_code if outcome is Outcome.DECLINED else None
        effects = _EFFECTS[type(movement)]
        (effects.done if outcome is Outcome.APPROVED else effects.not_done)(scene)


def _note_other_amount(scene: FollowUpScene[Any], result: ProviderResult) -> None:
    """Say loudly that the provider moved another amount; a person must look, nothing changes by itself."""
    said = result.amount
    log.error("amount_differs", payment=scene.payment.public_id, movement=scene.movement.public_id)
    scene.record(
        "movement.amount_differs",
        said_amount_minor=said.amount_minor if said else None,
        said_currency=said.currency if said else None,
    )
    scene.movement.state = MovementState.UNKNOWN
    scene.keep_asking()


def _compare_with_final(scene: FollowUpScene[Any], result: ProviderResult) -> None:
    movement = scene.movement
    if _FINAL_STATES[result.outcome] == movement.state:
        return
    log.error(
        "contradicting_result",
        payment=scene.payment.public_id,
        movement=movement.public_id,
        kind=KINDS[type(movement)],
        state=movement.state,
        outcome=result.outcome,
    )
    scene.record("movement.contradicted", claimed_outcome=result.outcome)
