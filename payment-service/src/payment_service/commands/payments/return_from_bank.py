"""Takes in a browser that comes back from its bank: the bank is asked, the return itself says nothing."""

from payment_service.models.movement import PaymentAttempt
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.inquiry import find_out, settle_answer
from payment_service.providers.port import Outcome
from payment_service.values.statuses import MovementState

# The bank may know more about these; nobody else does.
_TO_ASK_ABOUT = frozenset({MovementState.REQUIRES_ACTION, MovementState.UNKNOWN})


def return_from_bank(attempt: PaymentAttempt, dependencies: Dependencies, *, actor: str) -> bool:
    """Ask and settle, and say whether the bank itself says that it still waits for the cardholder.

    Where it does not, an attempt that is open may have been paid: the bank was silent, or has not decided.
    """
    if attempt.state not in _TO_ASK_ABOUT:
        return False
    result = find_out(attempt, dependencies)
    settle_answer(attempt, result, dependencies, actor=actor)
    return result.outcome is Outcome.REQUIRES_ACTION
