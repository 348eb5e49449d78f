"""Settling: the one place where what a provider said changes what we hold for true.

The sending thread, the janitor, webhooks and the returns of 3-D Secure come here with attempts, reversals,
captures, voids and refunds. The rules, and why they are so, are in docs/adr/0005.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

import structlog
from sqlalchemy.orm import Session

from payment_service.domain.payments.locks import Model, MovementReference, lock_movement
from payment_service.domain.payments.transitions import MovementKind, change_state, kind_of, may_become
from payment_service.domain.settlement.captures import captured, not_captured
from payment_service.domain.settlement.charges import approved, not_charged, wait_for_cardholder
from payment_service.domain.settlement.context import SettlementContext, SettlementPolicy
from payment_service.domain.settlement.refunds import not_refunded, refunded
from payment_service.domain.settlement.reversals import give_back, not_reversed, reversed_
from payment_service.domain.settlement.voids import not_released, released
from payment_service.models.payment import Payment
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.values.statuses import MovementState

log = structlog.get_logger(__name__)

FINAL_STATES: Mapping[Outcome, MovementState] = {
    Outcome.APPROVED: MovementState.APPROVED,
    Outcome.DECLINED: MovementState.DECLINED,
    Outcome.NOT_SENT: MovementState.NOT_SENT,
    Outcome.ABANDONED: MovementState.ABANDONED,
}
_SURELY_NOT_DONE = frozenset({Outcome.NOT_SENT, Outcome.ABANDONED})
IS_NOT_A_RESULT = frozenset({Outcome.PENDING, Outcome.NOT_FOUND, Outcome.REQUIRES_ACTION, Outcome.NOT_SENT})
Context = SettlementContext[Any]


@dataclass(frozen=True, slots=True)
class _Effects:
    """What the end of a movement does to its payment: when it was carried out, and when it surely was not."""

    done: Callable[[Context, ProviderResult], None]
    not_done: Callable[[Context, ProviderResult], None]


_EFFECTS: Mapping[MovementKind, _Effects] = {
    MovementKind.CHARGE: _Effects(approved, not_charged),
    MovementKind.REVERSAL: _Effects(reversed_, not_reversed),
    MovementKind.CAPTURE: _Effects(captured, not_captured),
    MovementKind.VOID: _Effects(released, not_released),
    MovementKind.REFUND: _Effects(refunded, not_refunded),
}


@dataclass(frozen=True, slots=True)
class Settlement(Generic[Model]):
    """How things stand after settling: read, not to be changed."""

    payment: Payment
    movement: Model


def settle(
    session: Session,
    policy: SettlementPolicy,
    reference: MovementReference[Model],
    result: ProviderResult,
    now: datetime,
    *,
    actor: str,
    seen_state: MovementState | None = None,
) -> Settlement[Model]:
    """Apply ``result`` once, whoever brings it and however often.

    Open movement: applied. Final and equal: nothing. An answer that decides nothing never overwrites. An
    approval of a charge that comes too late is given back. Any other difference: an event and an alert.

    ``seen_state`` is the state that led to NOT_SENT: a sender who went on meanwhile is not undone.
    """
    payment, movement = lock_movement(session, reference)
    context = SettlementContext(session, policy, payment, movement, now, actor)
    if result.outcome is Outcome.NOT_SENT and seen_state not in {None, movement.state}:
        return Settlement(payment, movement)
    if movement.is_open:
        _apply(context, result)
    elif result.outcome not in IS_NOT_A_RESULT:
        _compare_with_final(context, result)
    return Settlement(payment, movement)


def _apply(context: Context, result: ProviderResult) -> None:
    movement, outcome = context.movement, result.outcome
    kind, state = kind_of(movement), FINAL_STATES.get(outcome)
    movement.last_error = result.detail and result.detail[:255]
    if result.authentication is not None:
        movement.three_ds_status = result.authentication.status
        movement.three_ds_eci = result.authentication.eci
        movement.liability = result.authentication.liability
    if outcome is Outcome.REQUIRES_ACTION and kind is MovementKind.CHARGE:
        wait_for_cardholder(context, result)
    elif state is None or (outcome in _SURELY_NOT_DONE and not may_become(movement, state)):
        _stay_open(context)
    elif outcome is Outcome.APPROVED and result.amount not in {None, movement.amount}:
        _note_other_amount(context, result)
    else:
        context.end(state)
        movement.decline_code = result.decline_code if outcome is Outcome.DECLINED else None
        effects = _EFFECTS[kind]
        (effects.done if outcome is Outcome.APPROVED else effects.not_done)(context, result)


def _stay_open(context: Context) -> None:
    """Ask again: nothing was decided, or *not sent* of what an earlier try may have carried there."""
    movement = context.movement
    if movement.state == MovementState.HELD:
        return
    if may_become(movement, MovementState.UNKNOWN):
        change_state(movement, MovementState.UNKNOWN)
    context.keep_inquiring()


def _note_other_amount(context: Context, result: ProviderResult) -> None:
    """Say loudly that the provider moved another amount; a person must look, nothing changes by itself."""
    said = result.amount
    log.error("amount_differs", payment=context.payment.public_id, movement=context.movement.public_id)
    context.record(
        "movement.amount_differs",
        said_amount_minor=said.amount_minor if said else None,
        said_currency=said.currency if said else None,
    )
    _stay_open(context)


def _compare_with_final(context: Context, result: ProviderResult) -> None:
    movement, kind = context.movement, kind_of(context.movement)
    if FINAL_STATES[result.outcome] == movement.state:
        return
    if result.outcome is Outcome.APPROVED and kind is MovementKind.CHARGE:
        give_back(context)
        return
    log.error(
        "contradicting_result",
        payment=context.payment.public_id,
        movement=movement.public_id,
        kind=kind,
        state=movement.state,
        outcome=result.outcome,
    )
    is_attempt = kind in {MovementKind.CHARGE, MovementKind.REVERSAL}
    context.record(
        "attempt.contradicted" if is_attempt else "movement.contradicted", claimed_outcome=result.outcome
    )
