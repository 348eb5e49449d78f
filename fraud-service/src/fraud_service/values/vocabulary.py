"""The words of this service."""

from enum import StrEnum


class Decision(StrEnum):
    """What may happen to an attempt, from the mildest to the hardest."""

    APPROVE = "approve"
    CHALLENGE = "challenge"
    REVIEW = "review"
    DECLINE = "decline"

    @property
    def severity(self) -> int:
        """0 for the mildest; of several findings the hardest decides."""
        return list(Decision).index(self)


class ListKind(StrEnum):
    """Which of the two lists an entry is on."""

    DENY = "deny"
    ALLOW = "allow"


class Subject(StrEnum):
    """What an entry of a list is about."""

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
