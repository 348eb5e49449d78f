"""A bank in memory that plays a script."""

import threading
from collections.abc import Callable

from payment_service.providers.port import (
    Capabilities,
    Outcome,
    ProviderCapture,
    ProviderCharge,
    ProviderRefund,
    ProviderResult,
    ProviderVoid,
)
from service_kit.web.http_client import NotSent

PENDING = ProviderResult(Outcome.PENDING)
SaleBehaviour = Callable[["ScriptedBank", ProviderCharge], ProviderResult]
CarryOut = Callable[[], ProviderResult]
# What happens to a capture, void or refund of this id; the last argument carries it out.
FollowUpBehaviour = Callable[["ScriptedBank", str, CarryOut], ProviderResult]


def _nothing(_attempt_id: str) -> None:
    pass


class ScriptedBank:
    """A bank in memory: plays ``script`` sale by sale (then approves), and remembers what it carried out.

    While it ``is_slow``, captures, voids and refunds stay pending until ``settle``. ``before_asked`` and
    ``before_abandoned`` are called with the id when somebody asks what became of it, or abandons it.
    """

    name = "bank-simulator"

    def __init__(self) -> None:
        self.capabilities = Capabilities(can_abandon=True)
        self.script: list[SaleBehaviour] = []
        self.follow_up_script: list[FollowUpBehaviour] = []
        self.sales: list[ProviderCharge] = []
        self.captures: list[ProviderCapture] = []
        self.voids: list[ProviderVoid] = []
        self.refunds: list[ProviderRefund] = []
        self.asked: list[str] = []
        self.abandoned: list[str] = []
        self.taken_minor: dict[str, int] = {}
        self.held_minor: dict[str, int] = {}
        self.before_asked: Callable[[str], object] = _nothing
        self.before_abandoned: Callable[[str], object] = _nothing
        self.is_away = False
        self.is_slow = False
        self.void_answer: ProviderResult | None = None
        self._known: dict[str, ProviderResult] = {}
        self._to_hold: set[str] = set()
        self._lock = threading.RLock()

    @property
    def total_minor(self) -> int:
        """What the bank holds of ours."""
        return sum(self.taken_minor.values())

    def carry_out(self, request: ProviderCharge) -> ProviderResult:
        """Move the money once for each id."""
        with self._lock:
            if request.attempt_id not in self._known:
                where = self.held_minor if request.attempt_id in self._to_hold else self.taken_minor
                where[request.attempt_id] = request.amount.amount_minor
                self._known[request.attempt_id] = ProviderResult(
                    Outcome.APPROVED, authorization_code=f"A{len(self._known):05}"
                )
            return self._known[request.attempt_id]

    def remember(self, attempt_id: str, result: ProviderResult) -> ProviderResult:
        """Hold ``result`` for what became of the id, unless something did before."""
        with self._lock:
            return self._known.setdefault(attempt_id, result)

    def settle(self, attempt_id: str, result: ProviderResult) -> None:
        """Let a challenge, or what is pending, come to its end."""
        with self._lock:
            self._known[attempt_id] = result

    def end_challenges(self) -> None:
        """Let challenges be abandoned from now on."""
        with self._lock:
            for attempt_id, result in self._known.items():
                if result.outcome is Outcome.REQUIRES_ACTION:
                    self._known[attempt_id] = ProviderResult(Outcome.ABANDONED)

    def sale(self, request: ProviderCharge) -> ProviderResult:
        """Play the next behaviour of the script."""
        with self._lock:
            self.sales.append(request)
            behave = self.script.pop(0) if self.script else ScriptedBank.carry_out
        return behave(self, request)

    def authorise(self, request: ProviderCharge) -> ProviderResult:
        """Play the next behaviour of the script; what it carries out is held."""
        self._to_hold.add(request.attempt_id)
        return self.sale(request)

    def capture(self, request: ProviderCapture) -> ProviderResult:
        """Take held money, never more than is held."""

        def carry_out() -> ProviderResult:
            held_minor = self.held_minor.get(request.original_id)
            if held_minor is None:
                return ProviderResult(Outcome.DECLINED, decline_code="wrong_state")
            if request.amount.amount_minor > held_minor:
                return ProviderResult(Outcome.DECLINED, decline_code="amount_too_large")
            taken_minor = self.taken_minor.get(request.original_id, 0)
            self.taken_minor[request.original_id] = taken_minor + request.amount.amount_minor
            self.held_minor[request.original_id] = held_minor - request.amount.amount_minor
            if request.is_final or held_minor == request.amount.amount_minor:
                del self.held_minor[request.original_id]
            return ProviderResult(Outcome.APPROVED, amount=request.amount)

        self.captures.append(request)
        return self._follow_up(request.capture_id, carry_out)

    def void(self, request: ProviderVoid) -> ProviderResult:
        """Release a hold or give a sale back."""

        def carry_out() -> ProviderResult:
            if request.original_id in self._to_hold:
                if self.held_minor.pop(request.original_id, None) is None:
                    return ProviderResult(Outcome.DECLINED, decline_code="wrong_state")
            else:
                self.taken_minor[request.original_id] = 0
            return ProviderResult(Outcome.APPROVED)

        self._refuse_if_away()
        self.voids.append(request)
        if self.void_answer is not None:
            return self.void_answer
        return self._follow_up(request.void_id, carry_out)

    def refund(self, request: ProviderRefund) -> ProviderResult:
        """Give taken money back, never more than was taken."""

        def carry_out() -> ProviderResult:
            if request.amount.amount_minor > self.taken_minor.get(request.original_id, 0):
                return ProviderResult(Outcome.DECLINED, decline_code="amount_too_large")
            self.taken_minor[request.original_id] -= request.amount.amount_minor
            return ProviderResult(Outcome.APPROVED, amount=request.amount)

        self.refunds.append(request)
        return self._follow_up(request.refund_id, carry_out)

    def _follow_up(self, movement_id: str, carry_out: CarryOut) -> ProviderResult:
        """Play the next behaviour of the follow-ups' script, once for each id."""
        self._refuse_if_away()
        if self.is_slow:
            return self.remember(movement_id, PENDING)

        def once() -> ProviderResult:
            with self._lock:
                if movement_id not in self._known:
                    self._known[movement_id] = carry_out()
                return self._known[movement_id]

        with self._lock:
            behave = self.follow_up_script.pop(0) if self.follow_up_script else None
        return once() if behave is None else behave(self, movement_id, once)

    def fetch_status(self, attempt_id: str) -> ProviderResult:
        """Say what became of the id."""
        self._refuse_if_away()
        self.before_asked(attempt_id)
        with self._lock:
            self.asked.append(attempt_id)
            return self._known.get(attempt_id, ProviderResult(Outcome.NOT_FOUND))

    def abandon(self, attempt_id: str) -> ProviderResult:
        """Make sure that the id never executes."""
        self._refuse_if_away()
        self.before_abandoned(attempt_id)
        with self._lock:
            self.abandoned.append(attempt_id)
            if self._known.get(attempt_id, PENDING).outcome in {Outcome.PENDING, Outcome.REQUIRES_ACTION}:
                self._known[attempt_id] = ProviderResult(Outcome.ABANDONED)
            return self._known[attempt_id]

    def _refuse_if_away(self) -> None:
        if self.is_away:
            raise NotSent("bank: connection refused")
