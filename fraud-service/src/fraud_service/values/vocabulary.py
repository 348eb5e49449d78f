"""The words of this service."""

from enum import StrEnum


class Decision(StrEnum):
    """What may happen to an attempt, the mildest first: of several findings the hardest decides."""

    APPROVE = "approve"
    CHALLENGE = "challenge"
    REVIEW = "review"
    DECLINE = "decline"


class ListKind(StrEnum):
    DENY = "deny"
    ALLOW = "allow"


class Subject(StrEnum):
    CARD_FINGERPRINT = "card_fingerprint"
    BIN = "bin"
    USER = "user"
    IP = "ip"


class TryResult(StrEnum):
    """What became of an attempt that the limits let through, as far as we were told."""

    OPEN = "open"
    DECLINED = "declined"
    WRONG_CVV = "wrong_cvv"
    PAID = "paid"


class OutcomeKind(StrEnum):
    """What became of an attempt, and of the money that it took."""

    DECLINED = "declined"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    CHARGED_BACK = "charged_back"
