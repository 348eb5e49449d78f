"""The states of a payment and of an attempt, as docs/arc42/etats-paiement.md explains them."""

from enum import StrEnum


class PaymentStatus(StrEnum):
    """Where a payment stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    FAILED = "failed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class AttemptKind(StrEnum):
    """What a movement does: takes the money, or gives a late approval back."""

    SALE = "sale"
    REVERSAL = "reversal"


class MovementState(StrEnum):
    """Where one movement of money stands."""

    ASSESSING = "assessing"
    SENDING = "sending"
    UNKNOWN = "unknown"
    APPROVED = "approved"
    DECLINED = "declined"
    FAILED = "failed"
    NOT_SENT = "not_sent"
    ABANDONED = "abandoned"

    @property
    def is_open(self) -> bool:
        """Whether its outcome is still to come."""
        return self in {MovementState.ASSESSING, MovementState.SENDING, MovementState.UNKNOWN}


class Surface(StrEnum):
    """Where a payment was created, and therefore who may see it."""

    LAB = "lab"


class Destination(StrEnum):
    """Who is told through the outbox; also the names of its queues."""

    STORE_MANAGER = "store_manager"
    NOTIFICATIONS = "notifications"
