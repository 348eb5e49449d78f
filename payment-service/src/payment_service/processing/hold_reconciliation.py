"""What it means when a provider refuses to release a hold because there is none (any more)."""

from dataclasses import replace

from service_kit.clock import utc_now
from service_kit.web.http_client import NotSent
from sqlalchemy import select

from payment_service.domain.payments.events import provider_actor
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.settlement.settle import settle
from payment_service.domain.settlement.voids import NOTHING_IS_HELD
from payment_service.extensions import db
from payment_service.models.movement import Capture, Void
from payment_service.processing.dependencies import Dependencies
from payment_service.providers.port import Outcome, Provider, ProviderResult
from payment_service.values.statuses import MovementState

_STILL_UNKNOWN = frozenset({Outcome.PENDING, Outcome.REQUIRES_ACTION})


def reconcile_hold(
    void: Void, result: ProviderResult, provider: Provider, dependencies: Dependencies
) -> ProviderResult:
    """Return what became of a void, once every capture of its hold is accounted for.

    A hold that the provider does not know as one was released before, or ran out there, or was captured.
    So it is asked about each capture that we believe took nothing. None did: nothing is held any more, which
    is what the void wanted. One did: the void was refused, and that capture is told as contradicted.
    """
    if result.outcome is not Outcome.DECLINED or result.decline_code != NOTHING_IS_HELD:
        return result
    try:
        answers = [
            (capture, provider.fetch_status(capture.public_id)) for capture in _not_taken(void.attempt_id)
        ]
    except NotSent as exc:
        return ProviderResult(Outcome.PENDING, detail=str(exc))
    if any(answer.outcome in _STILL_UNKNOWN for _, answer in answers):
        return ProviderResult(Outcome.PENDING, detail="a capture of this hold is in doubt")
    taken = [(capture, answer) for capture, answer in answers if answer.outcome is Outcome.APPROVED]
    for capture, answer in taken:
        _tell_of(capture, answer, dependencies)
    if taken:
        names = ", ".join(capture.public_id for capture, _ in taken)
        return replace(result, detail=f"what was held was taken by {names}, which we hold for failed")
    return ProviderResult(Outcome.APPROVED, detail="nothing was held any more")


def _not_taken(attempt_id: int) -> list[Capture]:
    """Return the captures of the hold that ended without taking anything; none is open beside a void."""
    with db.reading() as session:
        return list(
            session.scalars(
                select(Capture)
                .where(Capture.attempt_id == attempt_id, Capture.state != MovementState.APPROVED)
                .order_by(Capture.id)
            )
        )


def _tell_of(capture: Capture, answer: ProviderResult, dependencies: Dependencies) -> None:
    now, reference, actor = utc_now(), MovementReference.of(capture), provider_actor(capture.provider)
    db.in_transaction(
        lambda session: settle(session, dependencies.policy, reference, answer, now, actor=actor)
    )
