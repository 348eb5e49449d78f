"""The amount limit."""

from dataclasses import dataclass

from fraud_service.values.inputs import Inputs
from fraud_service.values.judgement import Finding
from fraud_service.values.vocabulary import Decision

ANY_OTHER_CURRENCY = "*"


@dataclass(frozen=True, slots=True)
class AmountLimit:
    """Wants a person to look at an unusually large amount.

    An amount alone is no sign of fraud, so it is held for review and not declined.
    """

    name: str
    score: int

    def check(self, inputs: Inputs) -> Finding | None:
        """Compare the amount with the limit of its currency; the limit itself is still allowed."""
        limits = inputs.thresholds.amount_minor
        attempt = inputs.attempt
        limit = limits.get(attempt.currency, limits[ANY_OTHER_CURRENCY])
        if attempt.amount_minor <= limit:
            return None
        detail = f"{attempt.amount_minor} is more than {limit} minor units of {attempt.currency}"
        return Finding(self.name, Decision.REVIEW, self.score, detail)
