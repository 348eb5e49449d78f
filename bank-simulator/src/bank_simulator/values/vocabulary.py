"""The words of the simulator; their values stand in columns and in JSON."""

from enum import StrEnum


class Bank(StrEnum):
    """Client banks, which issue cards, and the merchant bank, which holds the merchants' accounts."""

    CIH = "cih"
    ATTIJARIWAFA = "attijariwafa"
    BMCE = "bmce"
    MERCHANT_BANK = "merchant_bank"


class CardBehaviour(StrEnum):
    """How a card behaves: the first three say how its answer comes, the next five decline, the last wait."""

    NORMAL = "normal"
    SLOW_ANSWER = "slow_answer"
    LOST_ANSWER = "lost_answer"
    LOST_CARD = "lost_card"
    STOLEN_CARD = "stolen_card"
    DO_NOT_HONOR = "do_not_honor"
    FRAUDULENT = "fraudulent"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    SALE_APPROVED_LATER = "sale_approved_later"
    SALE_DECLINED_LATER = "sale_declined_later"
    REFUND_APPROVED_LATER = "refund_approved_later"
    REFUND_DECLINED_LATER = "refund_declined_later"


class CardholderCheck(StrEnum):
    """What the card's access control server (ACS) does when it is asked about the cardholder (3-D Secure 2).

    ``risk_based`` sees no risk, and challenges only where the merchant wants it. ``challenge`` always does,
    and lets nobody pay who is absent. ``attempted`` stands in for a bank that does not take part.
    """

    RISK_BASED = "risk_based"
    FRICTIONLESS = "frictionless"
    CHALLENGE = "challenge"
    ATTEMPTED = "attempted"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"


class ThreeDSecureMode(StrEnum):
    """What a merchant wants of 3-D Secure; where it says nothing, the payer is absent."""

    REQUIRED = "required"
    AUTOMATIC = "automatic"


class AuthenticationStatus(StrEnum):
    AUTHENTICATED = "authenticated"
    ATTEMPTED = "attempted"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"


class Liability(StrEnum):
    ISSUER = "issuer"
    MERCHANT = "merchant"


class DeclineCode(StrEnum):
    """Why a request was declined; the last three are the network's, the others the issuer's."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    LOST_CARD = "lost_card"
    STOLEN_CARD = "stolen_card"
    EXPIRED_CARD = "expired_card"
    DO_NOT_HONOR = "do_not_honor"
    INCORRECT_CVC = "incorrect_cvc"
    INVALID_NUMBER = "invalid_number"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    FRAUDULENT = "fraudulent"
    AUTHENTICATION_REQUIRED = "authentication_required"
    AUTHENTICATION_FAILED = "authentication_failed"
    ACCOUNT_CLOSED = "account_closed"
    AMOUNT_TOO_LARGE = "amount_too_large"
    NOT_FOUND = "not_found"
    WRONG_STATE = "wrong_state"


class RequestKind(StrEnum):
    SALE = "sale"
    AUTHORIZATION = "authorization"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Status(StrEnum):
    """How a request stands. ``abandoned`` is a tombstone, under which nothing can be executed any more.

    ``requires_action`` waits for the cardholder and ``pending`` for the bank; neither has moved money.
    """

    REQUIRES_ACTION = "requires_action"
    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    ABANDONED = "abandoned"


class Holding(StrEnum):
    """Where the money of an approved sale or authorisation is."""

    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"


class AccountKind(StrEnum):
    """A cardholder's account, the holds on it, a merchant's account, what is withheld from it while it is
    disputed, and where deposits come from."""

    CARDHOLDER = "cardholder"
    HOLD = "hold"
    MERCHANT = "merchant"
    DISPUTE = "dispute"
    FUNDING = "funding"


class EventType(StrEnum):
    PAYMENT_UPDATED = "payment.updated"
    THREE_DS_FINISHED = "three_ds.finished"
    REFUND_UPDATED = "refund.updated"
    DISPUTE_OPENED = "dispute.opened"
    DISPUTE_WON = "dispute.won"
    DISPUTE_LOST = "dispute.lost"


class DisputeStatus(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class DisputeReason(StrEnum):
    FRAUDULENT = "fraudulent"
    DUPLICATE = "duplicate"
    PRODUCT_NOT_RECEIVED = "product_not_received"
    PRODUCT_UNACCEPTABLE = "product_unacceptable"
    CREDIT_NOT_PROCESSED = "credit_not_processed"
    GENERAL = "general"
