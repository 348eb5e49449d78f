"""What an answer of fraud-service, or its silence, means for an attempt."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from service_kit.web import strict_json

from payment_service.values.money import Money
from payment_service.values.statuses import Assessment, FraudDecision

SILENT = "silent"


class Course(StrEnum):
    """How the attempt goes on: to the bank, there with a proof of who pays, to a refusal, or to a person."""

    SEND = "send"
    CHALLENGE = "challenge"
    REFUSE = "refuse"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The course, and what is written down to explain it."""

    course: Course
    fraud_decision: str
    fraud_reasons: str


_COURSES = {
    FraudDecision.APPROVE: Course.SEND,
    FraudDecision.DECLINE: Course.REFUSE,
    FraudDecision.REVIEW: Course.HOLD,
    FraudDecision.CHALLENGE: Course.CHALLENGE,
}


def judge(assessment: Assessment) -> Verdict:
    """Return what the decision means."""
    reasons = strict_json.dumps(list(assessment.reasons))
    return Verdict(_COURSES[assessment.decision], assessment.decision, reasons)


def judge_silence(amount: Money, approve_below: Decimal, why: str) -> Verdict:
    """Return what silence means: small amounts go on, all others wait for a person."""
    is_small = amount.to_decimal() < approve_below
    reasons = strict_json.dumps([{"rule": "fraud_silent", "detail": why, "approve_below": approve_below}])
    return Verdict(Course.SEND if is_small else Course.HOLD, SILENT, reasons)
