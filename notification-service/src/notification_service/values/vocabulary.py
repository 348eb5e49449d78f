"""The words of this service's interface."""

from enum import StrEnum


class NotificationType(StrEnum):
    PAYMENT_RECEIPT = "payment_receipt"
    PAYMENT_REVERSED = "payment_reversed"


class MailLocale(StrEnum):
    FR = "fr"
    EN = "en"


class NotificationStatus(StrEnum):
    """Where a notification stands: still to be sent, handed over, or given up until somebody replays it."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"


class Outcome(StrEnum):
    """What became of one try: taken over, failed for now, or refused for good."""

    SENT = "sent"
    FAILED = "failed"
    REFUSED = "refused"
