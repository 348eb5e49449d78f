"""The proof itself is proved: defects put in on purpose are found within a few sequences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from payment_service.clients.deliveries import BatchClient
from payment_service.commands.payments import review_payment
from payment_service.commands.upkeep import prune
from payment_service.domain.idempotency_keys import begin_key
from payment_service.domain.payments.transitions import MovementKind, change_status
from payment_service.domain.settlement import captures, refunds, settle
from payment_service.domain.settlement.context import SettlementContext
from payment_service.models.movement import PaymentAttempt, Refund
from payment_service.models.payment import Payment
from payment_service.processing import idempotent, inquiry
from payment_service.processing.dependencies import Dependencies
from payment_service.providers.port import Outcome, Provider, ProviderResult
from payment_service.values.statuses import MovementState, PaymentStatus
from service_kit.db.database import Database
from service_kit.jobs.queue import Done, Failed, LeasedQueue, Result
from sqlalchemy import true
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.model.playing import play
from tests.model.system_under_test import open_system

Patch = pytest.MonkeyPatch


def refunds_know_no_limit(patch: Patch) -> None:
    """A merchant may give back more than it took."""
    patch.setattr(refunds, "max", lambda _zero, left: 10 * left, raising=False)


def captures_count_twice(patch: Patch) -> None:
    """What is captured is added to the payment once more than it should be."""
    apply = captures.captured

    def twice(context: SettlementContext[Any], result: ProviderResult) -> None:
        context.payment.captured_minor += context.movement.amount_minor
        apply(context, result)

    _replace_effect(patch, MovementKind.CAPTURE, done=twice)


def unknown_refunds_count_as_failed(patch: Patch) -> None:
    """A refund whose answer was lost is held for not done."""
    apply = settle._apply

    def hasty(context: SettlementContext[Any], result: ProviderResult) -> None:
        if isinstance(context.movement, Refund) and result.outcome is Outcome.PENDING:
            result = replace(result, outcome=Outcome.DECLINED)
        apply(context, result)

    patch.setattr(settle, "_apply", hasty)


def answers_are_not_stored(patch: Patch) -> None:
    """A request that comes again finds no answer."""
    patch.setattr(idempotent, "finish", lambda _session, _request, answer: answer)


def lost_commits_are_taken_for_stored(patch: Patch) -> None:
    """Whoever hears nothing of a COMMIT goes on as if it were stored."""

    def commit(session: Session, _result: object) -> None:
        try:
            session.commit()
        except DBAPIError:
            session.invalidate()

    patch.setattr(Database, "_commit", staticmethod(commit))


def nobody_ends_what_was_not_judged(patch: Patch) -> None:
    """The janitor has no word for an attempt whose process died before fraud-service had answered."""
    find_out = inquiry._find_out_about_attempt

    def hesitate(attempt: PaymentAttempt, provider: Provider, dependencies: Dependencies) -> ProviderResult:
        if attempt.state == MovementState.ASSESSING:
            return ProviderResult(Outcome.PENDING)
        return find_out(attempt, provider, dependencies)

    patch.setattr(inquiry, "_find_out_about_attempt", hesitate)


def keys_are_not_leased(patch: Patch) -> None:
    """A request that comes again while it is under way is taken for one whose process died."""
    patch.setattr(
        idempotent,
        "begin_key",
        lambda session, request, resource_id, now, _lease: begin_key(
            session, request, resource_id, now, timedelta()
        ),
    )


def leases_never_end(patch: Patch) -> None:
    """What a worker had claimed when it died is delivered by nobody."""
    due = LeasedQueue._due

    def unclaimed(queue: LeasedQueue[Any], now: datetime) -> Any:
        return due(queue, now).where(queue._model.lease_id.is_(None))

    patch.setattr(LeasedQueue, "_due", unclaimed)


def lost_answers_count_as_delivered(patch: Patch) -> None:
    """A message of which nobody knows whether it arrived is not sent again."""
    send = BatchClient.send

    def hope(client: BatchClient, items: Sequence[Any]) -> Result:
        result = send(client, items)
        return Done() if isinstance(result, Failed) and "lost" in result.reason else result

    patch.setattr(BatchClient, "send", hope)


def keys_are_pruned_at_once(patch: Patch) -> None:
    """A request that comes again an hour later is carried out again."""
    patch.setattr(prune, "_is_key_due", lambda _created, _leased: true())


def parts_are_taken_for_the_whole(patch: Patch) -> None:
    """A capture in part completes its payment; what is left is neither taken nor released."""
    apply = captures.captured

    def final(context: SettlementContext[Any], result: ProviderResult) -> None:
        context.movement.is_final = True
        apply(context, result)

    _replace_effect(patch, MovementKind.CAPTURE, done=final)


def rejected_money_is_kept_for_approval(patch: Patch) -> None:
    """A rejection leaves the payment in review."""

    def keep(payment: Payment, status: PaymentStatus) -> None:
        if status is not PaymentStatus.CANCELLED:
            change_status(payment, status)

    patch.setattr(review_payment, "change_status", keep)


def _replace_effect(patch: Patch, kind: MovementKind, **changes: Callable[..., None]) -> None:
    effects = dict(settle._EFFECTS)
    effects[kind] = replace(effects[kind], **changes)
    patch.setattr(settle, "_EFFECTS", effects)


@dataclass(frozen=True)
class Planted:
    """A defect, and a seed of which an early sequence finds it."""

    put_in: Callable[[Patch], None]
    seed: int

    def __str__(self) -> str:
        return self.put_in.__name__


QUICK = (
    Planted(refunds_know_no_limit, 2),
    Planted(keys_are_pruned_at_once, 1),
    Planted(parts_are_taken_for_the_whole, 1),
)
DEEP = (
    Planted(lost_commits_are_taken_for_stored, 1),
    Planted(nobody_ends_what_was_not_judged, 7),
    Planted(keys_are_not_leased, 2),
    Planted(leases_never_end, 3),
    Planted(unknown_refunds_count_as_failed, 4),
    Planted(captures_count_twice, 1),
    Planted(answers_are_not_stored, 1),
    Planted(lost_answers_count_as_delivered, 1),
    Planted(rejected_money_is_kept_for_approval, 1),
)


@pytest.mark.timeout(900)
@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    "planted", [*QUICK, *(pytest.param(planted, marks=pytest.mark.deep) for planted in DEEP)], ids=str
)
def test_a_defect_is_found(planted: Planted, database_url: str, tmp_path: Path, monkeypatch: Patch) -> None:
    planted.put_in(monkeypatch)

    with open_system(database_url, tmp_path) as system, pytest.raises(AssertionError):
        play(system, planted.seed, is_shrunk=False)
