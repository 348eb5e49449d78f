"""One settle for whoever brings a result: rules 6, 7 and 8, state by state."""

import pytest
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.settlement.assessments import apply_assessment
from payment_service.domain.settlement.settle import FINAL_STATES
from payment_service.domain.settlement.settle import settle as settle_movement
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.schemas.v1.events import TimelineEntrySchema
from payment_service.values.statuses import Assessment, FraudDecision, MovementState, PaymentStatus
from service_kit.clock import utc_now
from sqlalchemy import update

from tests.testkit.payments.scripted.sales import (
    approve,
    decline,
    lose_answer,
    lose_request,
    refuse_connection,
)
from tests.testkit.payments.world import World

NO_NEWS = [Outcome.PENDING, Outcome.NOT_FOUND]
FINAL = [Outcome.APPROVED, Outcome.DECLINED, Outcome.ABANDONED, Outcome.NOT_SENT]
RESULTS = {
    Outcome.DECLINED: ProviderResult(Outcome.DECLINED, decline_code="do_not_honor"),
    Outcome.APPROVED: ProviderResult(Outcome.APPROVED, authorization_code="LATE01"),
}


def settle(world: World, attempt: PaymentAttempt, outcome: Outcome) -> None:
    result = RESULTS.get(outcome, ProviderResult(outcome))
    reference, policy = MovementReference.of(attempt), world.dependencies.policy
    world.change(
        lambda session: settle_movement(session, policy, reference, result, utc_now(), actor="janitor")
    )


def open_attempt(world: World) -> PaymentAttempt:
    """An attempt whose charge was sent and never answered."""
    payment_id = world.create()
    world.bank.script = [lose_request]
    assert world.pay(payment_id).status_code == 202
    return world.attempt(payment_id)


def ended_attempt(world: World, outcome: Outcome) -> PaymentAttempt:
    payment_id = world.create()
    if outcome is Outcome.ABANDONED:
        world.bank.script = [lose_request]
        world.pay(payment_id)
        world.outlast_senders()
        world.run_janitor()
    else:
        world.bank.script = [
            {Outcome.APPROVED: approve, Outcome.DECLINED: decline("lost_card")}.get(
                outcome, refuse_connection
            )
        ]
        world.pay(payment_id)
    attempt = world.attempt(payment_id)
    assert attempt.state == FINAL_STATES[outcome]
    return attempt


def everything(world: World, payment_id: int) -> tuple[object, ...]:
    payment = world.payment(payment_id)
    return (
        payment.status,
        payment.paid_at,
        payment.event_head,
        [(a.state, a.decline_code, a.authorization_code, a.ended_at) for a in world.attempts(payment_id)],
        len(world.messages()),
    )


@pytest.mark.parametrize(
    ("outcome", "state", "status"),
    [
        (Outcome.APPROVED, "approved", PaymentStatus.COMPLETED),
        (Outcome.DECLINED, "declined", PaymentStatus.FAILED),
        (Outcome.ABANDONED, "abandoned", PaymentStatus.PENDING),
        (Outcome.PENDING, "unknown", PaymentStatus.PROCESSING),
        (Outcome.NOT_FOUND, "unknown", PaymentStatus.PROCESSING),
        (Outcome.NOT_SENT, "unknown", PaymentStatus.PROCESSING),  # after one unknown try it stays unknown
    ],
)
def test_a_result_is_applied_to_an_attempt_of_unknown_outcome(
    world: World, outcome: Outcome, state: str, status: PaymentStatus
) -> None:
    attempt = open_attempt(world)

    settle(world, attempt, outcome)

    assert world.attempt(attempt.payment_id).state == state
    assert world.payment(attempt.payment_id).status == status
    is_open = state == "unknown"
    assert (world.attempt(attempt.payment_id).next_ask_at is None) is not is_open
    assert (world.attempt(attempt.payment_id).ended_at is None) is is_open


@pytest.mark.parametrize("outcome", FINAL)
def test_an_equal_result_changes_nothing(world: World, outcome: Outcome) -> None:
    attempt = ended_attempt(world, outcome)
    before = everything(world, attempt.payment_id)

    for _ in range(3):
        settle(world, attempt, outcome)

    assert everything(world, attempt.payment_id) == before


@pytest.mark.parametrize("news", NO_NEWS)
@pytest.mark.parametrize("outcome", FINAL)
def test_no_news_never_overwrites(world: World, outcome: Outcome, news: Outcome) -> None:
    attempt = ended_attempt(world, outcome)
    before = everything(world, attempt.payment_id)

    settle(world, attempt, news)

    assert everything(world, attempt.payment_id) == before


@pytest.mark.parametrize("outcome", [Outcome.DECLINED, Outcome.ABANDONED, Outcome.NOT_SENT])
def test_an_approval_that_comes_too_late_is_given_back_exactly_once(world: World, outcome: Outcome) -> None:
    attempt = ended_attempt(world, outcome)
    status = world.payment(attempt.payment_id).status

    for _ in range(3):
        settle(world, attempt, Outcome.APPROVED)
    while world.run_janitor():
        pass

    assert [void.original_id for void in world.bank.voids] == [attempt.public_id]
    sale, reversal = world.attempts(attempt.payment_id)
    assert (sale.state, reversal.kind, reversal.state) == (attempt.state, "reversal", "approved")
    assert reversal.reversal_of == attempt.public_id
    assert world.payment(attempt.payment_id).status == status
    events = world.events(attempt.payment_id)
    assert events.count("payment.late_approval") == events.count("payment.reversed") == 1
    (late,) = world.all(PaymentEvent, type="payment.late_approval")
    assert TimelineEntrySchema().dump(late)["why"] is None
    assert world.messages() == []
    assert [told["type"] for told in world.told_to_payers()] == ["payment_reversed"]


@pytest.mark.parametrize("status", [PaymentStatus.EXPIRED, PaymentStatus.CANCELLED, PaymentStatus.COMPLETED])
def test_an_approval_of_an_open_attempt_on_a_payment_that_is_over_is_given_back(
    world: World, status: PaymentStatus
) -> None:
    payment_id = world.create()
    world.bank.is_away = True
    world.bank.script = [lose_answer]
    world.pay(payment_id)
    world.change(
        lambda session: session.execute(update(Payment).where(Payment.id == payment_id).values(status=status))
    )
    world.bank.is_away = False
    assert world.bank.total_minor == 399998

    world.outlast_senders()
    while world.run_janitor():
        pass

    assert world.bank.total_minor == 0
    assert world.payment(payment_id).status == status
    assert [attempt.state for attempt in world.attempts(payment_id)] == ["approved", "approved"]
    assert world.messages() == []
    assert [told["type"] for told in world.told_to_payers()] == ["payment_reversed"]


def test_a_refused_reversal_is_written_down_and_told_to_nobody(world: World) -> None:
    attempt = ended_attempt(world, Outcome.DECLINED)
    world.bank.void_answer = ProviderResult(Outcome.DECLINED, decline_code="not_found")
    settle(world, attempt, Outcome.APPROVED)

    while world.run_janitor():
        pass

    assert "payment.reversal_refused" in world.events(attempt.payment_id)
    assert world.attempts(attempt.payment_id)[1].decline_code == "not_found"
    assert world.messages() == []


def test_a_late_approval_that_is_too_old_to_void_is_refunded(world: World) -> None:
    attempt = ended_attempt(world, Outcome.DECLINED)
    world.bank.taken_minor[attempt.public_id] = attempt.amount_minor
    world.bank.void_answer = ProviderResult(Outcome.DECLINED, decline_code="wrong_state")
    settle(world, attempt, Outcome.APPROVED)

    while world.run_janitor():
        pass

    assert world.bank.total_minor == 0
    assert [refund.original_id for refund in world.bank.refunds] == [attempt.public_id]
    assert "payment.reversed" in world.events(attempt.payment_id)


def test_a_reversal_is_repeated_under_its_own_key_until_it_is_answered(world: World) -> None:
    attempt = ended_attempt(world, Outcome.DECLINED)
    settle(world, attempt, Outcome.APPROVED)
    world.bank.is_away = True
    world.run_janitor()
    world.bank.is_away = False
    world.bank.void_answer = ProviderResult(Outcome.PENDING)
    world.age(10)
    world.run_janitor()
    world.bank.void_answer = None
    world.age(100)
    world.run_janitor()

    assert len({void.void_id for void in world.bank.voids}) == 1
    assert world.attempts(attempt.payment_id)[1].state == "approved"


@pytest.mark.parametrize(
    ("was", "claimed"),
    [
        (Outcome.APPROVED, Outcome.DECLINED),
        (Outcome.APPROVED, Outcome.ABANDONED),
        (Outcome.DECLINED, Outcome.ABANDONED),
        (Outcome.ABANDONED, Outcome.DECLINED),
        (Outcome.NOT_SENT, Outcome.DECLINED),
    ],
)
def test_any_other_difference_is_written_down_and_changes_nothing(
    world: World, was: Outcome, claimed: Outcome
) -> None:
    attempt = ended_attempt(world, was)
    before = everything(world, attempt.payment_id)

    settle(world, attempt, claimed)

    after = everything(world, attempt.payment_id)
    assert (after[0], after[1], after[3], after[4]) == (before[0], before[1], before[3], before[4])
    assert world.events(attempt.payment_id)[-1] == "attempt.contradicted"


def test_not_sent_by_somebody_who_saw_another_state_is_not_applied(world: World) -> None:
    attempt = open_attempt(world)
    before = everything(world, attempt.payment_id)
    reference, policy = MovementReference.of(attempt), world.dependencies.policy

    world.change(
        lambda session: settle_movement(
            session,
            policy,
            reference,
            ProviderResult(Outcome.NOT_SENT),
            utc_now(),
            actor="janitor",
            seen_state=MovementState.ASSESSING,
        )
    )

    assert everything(world, attempt.payment_id) == before


def test_a_decision_that_comes_after_the_end_is_not_applied(world: World) -> None:
    attempt = ended_attempt(world, Outcome.NOT_SENT)
    before = everything(world, attempt.payment_id)
    reference, policy = MovementReference.of(attempt), world.dependencies.policy
    assessment = Assessment(FraudDecision.APPROVE, [])

    standing = world.change(
        lambda session: apply_assessment(session, policy, reference, assessment, utc_now(), actor="janitor")
    )

    assert standing.movement.state == MovementState.NOT_SENT
    assert everything(world, attempt.payment_id) == before
