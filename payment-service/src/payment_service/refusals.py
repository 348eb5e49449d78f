"""What it means that a movement was not carried out: kind and state → status → problem code → sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from payment_service.domain.payments.transitions import MovementKind
from payment_service.values.statuses import MovementState


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a merchant's server is told; nothing was taken, given back or released."""

    status: HTTPStatus
    code: str
    detail: str


def _follow_up(
    kind: MovementKind, name: str, declined: str, unchanged: str
) -> Mapping[tuple[MovementKind, MovementState], Refusal]:
    """Return the refusals of a capture, void or refund, which differ in what stays as it was."""
    again = f"{unchanged}; please try again with a new key."
    return {
        (kind, MovementState.DECLINED): Refusal(
            HTTPStatus.PAYMENT_REQUIRED, f"{name}_declined", f"The bank declined {declined}"
        ),
        (kind, MovementState.NOT_SENT): Refusal(
            HTTPStatus.BAD_GATEWAY, f"{name}_not_sent", f"The bank could not be reached. {again}"
        ),
        (kind, MovementState.ABANDONED): Refusal(
            HTTPStatus.BAD_GATEWAY,
            f"{name}_abandoned",
            f"It was given up before the bank had carried it out. {again}",
        ),
    }


REFUSALS: Mapping[tuple[MovementKind, MovementState], Refusal] = {
    (MovementKind.CHARGE, MovementState.DECLINED): Refusal(
        HTTPStatus.PAYMENT_REQUIRED, "payment_declined", "The bank declined; another card may follow."
    ),
    (MovementKind.CHARGE, MovementState.FAILED): Refusal(
        HTTPStatus.UNPROCESSABLE_ENTITY, "payment_refused", "Our checks refused it; nothing was charged."
    ),
    (MovementKind.CHARGE, MovementState.NOT_SENT): Refusal(
        HTTPStatus.BAD_GATEWAY,
        "charge_not_sent",
        "The bank could not be reached. Nothing was charged; confirm again with a new key.",
    ),
    (MovementKind.CHARGE, MovementState.ABANDONED): Refusal(
        HTTPStatus.BAD_GATEWAY,
        "charge_abandoned",
        "The attempt was given up before the bank had charged the card. Nothing was charged; "
        "confirm again with a new key.",
    ),
    **_follow_up(MovementKind.CAPTURE, "capture", "the capture; nothing was taken.", "Nothing was taken"),
    **_follow_up(
        MovementKind.VOID, "cancellation", "to release what it holds; nothing changed.", "Nothing changed"
    ),
    **_follow_up(MovementKind.REFUND, "refund", "the refund; nothing went back.", "Nothing went back"),
}
