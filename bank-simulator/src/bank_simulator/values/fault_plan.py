"""Seeded faults: what goes wrong for a request is a pure function of the plan and the request."""

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Latency:
    """A share of the requests waits between ``min`` and ``max`` milliseconds before it is worked on."""

    rate: float = 0.0
    min: int = 0
    max: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as the network sees it come in: the n-th of this operation with this request id."""

    operation: str
    request_id: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong for one arrival; an error before the money moves excludes what comes later."""

    latency_ms: int = 0
    error_before: bool = False
    error_after: bool = False
    lost_answer: bool = False


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How much goes wrong; half of the errors come before the money moves, half after."""

    seed: int = 0
    latency_ms: Latency = field(default_factory=Latency)
    errors: Share = field(default_factory=Share)
    lost_answers: Share = field(default_factory=Share)

    @property
    def is_calm(self) -> bool:
        return not (self.latency_ms.rate or self.errors.rate or self.lost_answers.rate)

    def fault(self, arrival: Arrival) -> Fault:
        """Decide what goes wrong; the same plan and arrival always give the same fault."""
        has_error = self._draw(arrival, "error") < self.errors.rate
        is_early = self._draw(arrival, "error_before") < 0.5
        return Fault(
            latency_ms=self._latency_ms(arrival),
            error_before=has_error and is_early,
            error_after=has_error and not is_early,
            lost_answer=self._draw(arrival, "lost_answer") < self.lost_answers.rate,
        )

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def _latency_ms(self, arrival: Arrival) -> int:
        if self._draw(arrival, "latency") >= self.latency_ms.rate:
            return 0
        span = self.latency_ms.max - self.latency_ms.min
        return self.latency_ms.min + round(self._draw(arrival, "latency_length") * span)

    def _draw(self, arrival: Arrival, kind: str) -> float:
        """Return a number in [0, 1) that looks random and depends on nothing but the arguments."""
        text = f"{self.seed}|{kind}|{arrival.operation}|{arrival.ordinal}|{arrival.request_id}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48
