"""Too many attempts in too short a time."""

from collections.abc import Callable
from dataclasses import dataclass

from fraud_service.values.inputs import Counters, Inputs, Thresholds, VelocityLimit
from fraud_service.values.judgement import Finding
from fraud_service.values.vocabulary import Decision


@dataclass(frozen=True, slots=True)
class VelocityRule:
    """Declines what goes over the limit of one subject.

    It is a step and no ramp: up to the limit, somebody who tries a declined card again is as trusted as at
    the first try. Who tries card numbers or security codes by machine runs into the limit at once.
    """

    name: str
    words: str
    score: int
    count: Callable[[Counters], int | None]
    limit: Callable[[Thresholds], VelocityLimit]

    def check(self, inputs: Inputs) -> Finding | None:
        """Compare the count with the limit; the limit itself is still allowed, an unknown count too."""
        count = self.count(inputs.counters)
        limit = self.limit(inputs.thresholds)
        if count is None or count <= limit.attempts:
            return None
        detail = f"more than {limit.attempts} attempts {self.words} within {limit.window_s} s"
        return Finding(self.name, Decision.DECLINE, self.score, detail)
