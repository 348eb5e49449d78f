"""The states of a payment and of its movements, as docs/arc42/etats-paiement.md explains them."""

from enum import StrEnum


class PaymentStatus(StrEnum):
    """Where a payment stands."""

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
    """Where one movement of money stands: an attempt, a capture, a void or a refund."""

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
        """Whether its outcome is still to come."""
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
    """Who is told through the outbox; also the names of its queues."""

    STORE_MANAGER = "store_manager"
    NOTIFICATIONS = "notifications"
    EVENTS = "events"
    FRAUD_OUTCOMES = "fraud_outcomes"


class DisputeStatus(StrEnum):
    """Where a dispute stands: the cardholder asked for the money back, we kept it, or we lost it."""

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
