"""A fraud-service that plays a script, and a worker that is only counted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from payment_service.clients.fraud import AssessmentRequest, FraudSilent
from payment_service.values.statuses import Assessment, FraudDecision


class ScriptedFraud:
    """Judges by ``script``, assessment by assessment, then approves; None is silence."""

    def __init__(self) -> None:
        self.script: list[FraudDecision | None] = []
        self.reasons: list[dict[str, Any]] | None = None
        self.requests: list[AssessmentRequest] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def assess(self, request: AssessmentRequest) -> Assessment:
        """Return the next decision."""
        self.requests.append(request)
        self.meanwhile()
        decision = self.script.pop(0) if self.script else FraudDecision.APPROVE
        if decision is None:
            raise FraudSilent("fraud-service: ReadTimeoutError")
        return Assessment(decision, self.reasons or [{"rule": "scripted", "detail": decision.value}])


@dataclass
class CountingWaker:
    """Counts how often the worker was woken."""

    calls: int = 0

    def wake(self) -> None:
        """Count."""
        self.calls += 1
