"""The words of the simulator; their values stand in columns and in JSON."""

from enum import StrEnum


class Bank(StrEnum):
    """Client banks, which issue cards, and the merchant bank, which holds the merchants' accounts."""

    CIH = "cih"
    ATTIJARIWAFA = "attijariwafa"
    BMCE = "bmce"
    MERCHANT_BANK = "merchant_bank"


class Manner(StrEnum):
    """How a card behaves. The first three say how the answer comes, the others are declines."""

    NORMAL = "normal"
    SLOW_ANSWER = "slow_answer"
    LOST_ANSWER = "lost_answer"
    LOST_CARD = "lost_card"
    STOLEN_CARD = "stolen_card"
    DO_NOT_HONOR = "do_not_honor"
    FRAUDULENT = "fraudulent"
    ISSUER_UNAVAILABLE = "issuer_unavailable"


class DeclineCode(StrEnum):
    """Why a request was declined; the first nine are the issuer's, the others the network's."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    LOST_CARD = "lost_card"
    STOLEN_CARD = "stolen_card"
    EXPIRED_CARD = "expired_card"
    DO_NOT_HONOR = "do_not_honor"
    INCORRECT_CVC = "incorrect_cvc"
    INVALID_NUMBER = "invalid_number"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    FRAUDULENT = "fraudulent"
    AMOUNT_TOO_LARGE = "amount_too_large"
    NOT_FOUND = "not_found"
    WRONG_STATE = "wrong_state"


class RequestKind(StrEnum):
    """What the network was asked to do."""

    SALE = "sale"
    AUTHORIZATION = "authorization"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Status(StrEnum):
    """How a request ended; ``abandoned`` is a tombstone, under which nothing can be executed any more."""

    APPROVED = "approved"
    DECLINED = "declined"
    ABANDONED = "abandoned"


class Holding(StrEnum):
    """Where the money of an approved sale or authorisation is."""

    HELD = "held"
    CAPTURED = "captured"
    VOIDED = "voided"


class AccountKind(StrEnum):
    """A cardholder's account, the holds on it, a merchant's account, and where deposits come from."""

    CARDHOLDER = "cardholder"
    HOLD = "hold"
    MERCHANT = "merchant"
    FUNDING = "funding"
