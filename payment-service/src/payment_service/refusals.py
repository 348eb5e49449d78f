"""What it means that a movement was not carried out, and what everybody is told: by its kind and state."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from payment_service.domain.payments.transitions import MovementKind
from payment_service.values.statuses import MovementState, PaymentStatus


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing was taken, given back or released.

    The merchant's server is answered with ``status``, ``code`` and ``detail``, and reads ``why`` in the story
    of the payment. Of a charge, ``last_error`` stands in the payment of /v1, ``lab`` is the lab client's
    sentence, and ``payer`` names the page's own: ``{payer}.heading`` and the like in templates/texts.
    """

    status: HTTPStatus
    code: str
    detail: str
    why: str | None = None
    last_error: str = ""
    lab: str = ""
    payer: str = ""


_NOT_SENT = "the request certainly never reached the bank"
_ABANDONED = "it was given up before the bank had carried it out, and never will be"


def _follow_up(
    kind: MovementKind, name: str, declined: str, unchanged: str
) -> Mapping[tuple[MovementKind, str], Refusal]:
    """Return the refusals of a capture, void or refund, which differ in what stays as it was."""
    again = f"{unchanged}; please try again with a new key."
    return {
        (kind, MovementState.DECLINED): Refusal(
            HTTPStatus.PAYMENT_REQUIRED, f"{name}_declined", f"The bank declined {declined}"
        ),
        (kind, MovementState.NOT_SENT): Refusal(
            HTTPStatus.BAD_GATEWAY, f"{name}_not_sent", f"The bank could not be reached. {again}", _NOT_SENT
        ),
        (kind, MovementState.ABANDONED): Refusal(
            HTTPStatus.BAD_GATEWAY,
            f"{name}_abandoned",
            f"It was given up before the bank had carried it out. {again}",
            _ABANDONED,
        ),
    }


REFUSALS: Mapping[tuple[MovementKind, str], Refusal] = {
    # A decline is told to the lab's client in the payer's words, by its decline code.
    (MovementKind.CHARGE, MovementState.DECLINED): Refusal(
        HTTPStatus.PAYMENT_REQUIRED,
        "payment_declined",
        "The bank declined; another card may follow.",
        last_error="The bank declined the card; another card may follow.",
        payer="declined",
    ),
    # The payer and the lab's client are not told that it was us: to them it is a decline.
    (MovementKind.CHARGE, MovementState.FAILED): Refusal(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "payment_refused",
        "Our checks refused it; nothing was charged. The payment's events say why.",
        last_error="Our checks refused this payment; nothing was charged.",
        payer="declined",
    ),
    (MovementKind.CHARGE, MovementState.NOT_SENT): Refusal(
        HTTPStatus.BAD_GATEWAY,
        "charge_not_sent",
        "The bank could not be reached. Nothing was charged; confirm again with a new key.",
        _NOT_SENT,
        last_error="The bank could not be reached; nothing was charged.",
        lab="The bank could not be reached. Nothing was charged; please try again.",
        payer="not_sent",
    ),
    (MovementKind.CHARGE, MovementState.ABANDONED): Refusal(
        HTTPStatus.BAD_GATEWAY,
        "charge_abandoned",
        "The attempt was given up before the bank had charged the card. Nothing was charged; "
        "confirm again with a new key.",
        _ABANDONED,
        last_error="The attempt was given up before the bank had charged the card; nothing was charged.",
        lab="This attempt was given up before the bank had charged the card. Nothing was charged; "
        "please try again.",
        payer="abandoned",
    ),
    **_follow_up(MovementKind.CAPTURE, "capture", "the capture; nothing was taken.", "Nothing was taken"),
    **_follow_up(
        MovementKind.VOID, "cancellation", "to release what it holds; nothing changed.", "Nothing changed"
    ),
    **_follow_up(MovementKind.REFUND, "refund", "the refund; nothing went back.", "Nothing went back"),
}
# How a payment stands that nobody can pay now, by the names of the page's sentences. A challenge whose
# address is known has a page of its own (hand_over); once a sender has surely ended, the outcome is unknown.
BEING_PROCESSED, OUTCOME_UNKNOWN = "pending.processing", "pending.unknown"
STANDINGS: Mapping[str, str] = {
    PaymentStatus.PROCESSING: BEING_PROCESSED,
    PaymentStatus.REQUIRES_ACTION: BEING_PROCESSED,
    PaymentStatus.IN_REVIEW: "pending.review",
    PaymentStatus.CANCELLED: "closed.cancelled",
    PaymentStatus.EXPIRED: "closed.expired",
}


def for_testers(why: str) -> str:
    """Return the sentence of the lab's answers; elsewhere it would tell a fraudster what to avoid."""
    return f"Said in the lab only: our own checks refused it ({why}); the bank was not asked."


def refusal_of(kind: MovementKind, state: str) -> Refusal:
    """Return what is told of a movement that ended in ``state``; what has no row was not sent."""
    return REFUSALS.get((kind, state), REFUSALS[kind, MovementState.NOT_SENT])
