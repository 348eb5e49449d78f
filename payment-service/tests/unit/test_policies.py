from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from payment_service.config import TimeLimits
from payment_service.domain.payments.schedules import InquirySchedule
from payment_service.domain.settlement.assessments import assess_without_fraud_service
from payment_service.values.money import Money
from payment_service.values.statuses import Assessment, FraudDecision

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LIMITS = TimeLimits()
ASKS = InquirySchedule(LIMITS.asks_after_s, LIMITS.asks_hourly_s, LIMITS.asks_daily_s)


@pytest.mark.parametrize(("inquiries", "after_s"), [(0, 10), (1, 30), (2, 60), (3, 300), (4, 900)])
def test_the_first_asks_come_at_their_time_after_the_beginning(inquiries: int, after_s: float) -> None:
    assert ASKS.next_ask_at(START, inquiries, START) == START + timedelta(seconds=after_s)


def test_then_it_is_asked_hourly_for_a_day_and_daily_from_then_on() -> None:
    within, beyond = START + timedelta(hours=23), START + timedelta(hours=25)

    assert ASKS.next_ask_at(START, 5, within) == within + timedelta(hours=1)
    assert ASKS.next_ask_at(START, 29, beyond) == beyond + timedelta(days=1)


def test_an_ask_that_is_overdue_is_due_now_and_not_in_the_past() -> None:
    now = START + timedelta(minutes=2)

    assert ASKS.next_ask_at(START, 1, now) == now


def test_the_limits_of_time_are_those_of_the_specification() -> None:
    assert LIMITS.processing_s == 8 > LIMITS.provider_s == 6
    assert (LIMITS.fraud_s, LIMITS.request_s, LIMITS.ask_s) == (0.3, 4, 2)
    assert (LIMITS.send_within_s, LIMITS.busy_grace_s, LIMITS.clock_margin_s) == (2, 6, 20)


@pytest.mark.parametrize(
    ("amount", "decision"),
    [
        (Money(99_999, "MAD"), FraudDecision.APPROVE),
        (Money(100_000, "MAD"), FraudDecision.REVIEW),
        (Money(100_001, "MAD"), FraudDecision.REVIEW),
        (Money(29_999, "KWD"), FraudDecision.APPROVE),
        (Money(999_999, "KWD"), FraudDecision.REVIEW),
        (Money(1, "JPY"), FraudDecision.REVIEW),
    ],
)
def test_silence_lets_pass_what_is_below_the_limit_of_its_currency(
    amount: Money, decision: FraudDecision
) -> None:
    limits = {"MAD": Decimal("1000.00"), "KWD": Decimal(30)}

    assessment = assess_without_fraud_service(amount, limits, "no answer")

    assert (assessment.decision, assessment.recorded_as) == (decision, "silent")
    assert assessment.reasons[0]["detail"] == "no answer"


@pytest.mark.parametrize("decision", FraudDecision)
def test_every_decision_is_recorded_in_its_own_word(decision: FraudDecision) -> None:
    assert Assessment(decision, []).recorded_as == decision.value
