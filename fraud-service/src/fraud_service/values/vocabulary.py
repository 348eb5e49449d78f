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


class OutcomeKind(StrEnum):
    """What became of money that an attempt took."""

    CAPTURED = "captured"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    CHARGED_BACK = "charged_back"
