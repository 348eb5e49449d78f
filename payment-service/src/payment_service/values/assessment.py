"""What fraud-service decided about an attempt, or that it did not answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FraudDecision(StrEnum):
    """fraud-service's four words."""

    APPROVE = "approve"
    CHALLENGE = "challenge"
    REVIEW = "review"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Assessment:
    """A decision with the reasons that explain it to a person."""

    decision: FraudDecision
    reasons: Sequence[dict[str, Any]]
