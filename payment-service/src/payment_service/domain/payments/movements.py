"""Finds a movement of money by the id under which its provider knows it."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.models.payments.capture import Capture
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.models.payments.refund import Refund
from payment_service.models.payments.void import Void

AnyMovement = PaymentAttempt | Capture | Void | Refund
Model = TypeVar("Model", bound=AnyMovement)
TABLES: tuple[type[AnyMovement], ...] = (PaymentAttempt, Capture, Void, Refund)


def find_movement(session: Session, provider: str, public_id: str) -> AnyMovement | None:
    """Return the attempt, capture, void or refund that we sent to ``provider`` under this id.

    A reversal that came too late for a void is sent once more as a refund, under an id of its own.
    """

    def find(model: type[Model], *ids: str) -> Model | None:
        return session.scalar(select(model).where(model.public_id.in_(ids), model.provider == provider))

    return (
        find(PaymentAttempt, public_id, public_id.removesuffix("_refund"))
        or find(Capture, public_id)
        or find(Void, public_id)
        or find(Refund, public_id)
    )
