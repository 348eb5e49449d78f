"""The states of a payment and of its movements, as docs/arc42/etats-paiement.md explains them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class PaymentStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    IN_REVIEW = "in_review"
    FAILED = "failed"
    AUTHORIZED = "authorized"
    PARTIALLY_CAPTURED = "partially_captured"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class CaptureMethod(StrEnum):
    """Whether the money is taken when the bank approves, or held until the merchant captures it."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class AttemptKind(StrEnum):
    """What an attempt does: takes the money, holds it, or gives a late approval back."""

    SALE = "sale"
    AUTHORIZATION = "authorization"
    REVERSAL = "reversal"


class MovementState(StrEnum):
    """The state of one movement of money: an attempt, a capture, a void or a refund."""

    ASSESSING = "assessing"
    HELD = "held"
    SENDING = "sending"
    REQUIRES_ACTION = "requires_action"
    UNKNOWN = "unknown"
    APPROVED = "approved"
    DECLINED = "declined"
    FAILED = "failed"
    NOT_SENT = "not_sent"
    ABANDONED = "abandoned"

    @property
    def is_open(self) -> bool:
        """Whether its outcome is still open."""
        return self in OPEN_STATES


OPEN_STATES = frozenset(
    {
        MovementState.ASSESSING,
        MovementState.HELD,
        MovementState.SENDING,
        MovementState.REQUIRES_ACTION,
        MovementState.UNKNOWN,
    }
)


class VoidPurpose(StrEnum):
    """Why what is still held goes back to the cardholder."""

    CANCEL = "cancel"
    EXPIRY = "expiry"


class Surface(StrEnum):
    """Where a payment was created, and therefore who may see it."""

    LAB = "lab"
    V1 = "v1"


class Destination(StrEnum):
    """Who is told: the shop of its orders, the others of events. Also the names of the outbox's queues."""

    STORE_MANAGER = "store_manager"
    EVENTS = "events"
    FRAUD_OUTCOMES = "fraud_outcomes"


class DisputeStatus(StrEnum):
    """The cardholder wants the money back through the bank; then the merchant keeps it, or loses it."""

    OPENED = "opened"
    WON = "won"
    LOST = "lost"


class InboxOutcome(StrEnum):
    """What came of an event that a provider sent; everything but APPLIED is for a person to look at."""

    APPLIED = "applied"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_REQUEST = "unknown_request"
    UNREADABLE = "unreadable"
    AMOUNT_DIFFERS = "amount_differs"
    CONTRADICTED = "contradicted"


class FraudDecision(StrEnum):
    APPROVE = "approve"
    CHALLENGE = "challenge"
    REVIEW = "review"
    DECLINE = "decline"


# Decline codes of our own; all others are the bank's.
FRAUDULENT, TOO_MANY_CARDS = "fraudulent", "too_many_cards"


@dataclass(frozen=True, slots=True)
class Assessment:
    """A decision with the reasons that explain it to a person; ``is_silent``: fraud-service gave none.

    ``decline_code`` is what the merchant and the payer are told where it declines.
    """

    decision: FraudDecision
    reasons: Sequence[dict[str, Any]]
    is_silent: bool = False
    decline_code: str = FRAUDULENT

    @property
    def recorded_as(self) -> str:
        """The decision as rows and events have it: ``silent`` where fraud-service gave none."""
        return "silent" if self.is_silent else self.decision


class LedgerAccount(StrEnum):
    """Where money is. Each exists per merchant, provider and currency."""

    PROVIDER_RECEIVABLE = "provider_receivable"
    MERCHANT_PAYABLE = "merchant_payable"
    REFUNDS_IN_TRANSIT = "refunds_in_transit"
    DISPUTES = "disputes"

    def balance_minor(self, posted_minor: int) -> int:
        """Return what is in the account, or what an entry did to it, out of what was posted.

        Debits are positive in the books. What a provider owes grows with debits; what is owed to the
        merchant, to cardholders and to issuers grows with credits.
        """
        return posted_minor if self is LedgerAccount.PROVIDER_RECEIVABLE else -posted_minor


class EntryKind(StrEnum):
    CAPTURED = "captured"
    REFUND_ASKED = "refund_asked"
    REFUND_DONE = "refund_done"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
