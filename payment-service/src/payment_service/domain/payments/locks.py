"""Row locks, always in this order: payment, then movement, so that no two of us dead-lock."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, bindparam, inspect, select
from sqlalchemy.orm import Session, load_only
from sqlalchemy.orm.util import identity_key

from payment_service.models.base import Base
from payment_service.models.movement import AnyMovement, Capture, PaymentAttempt, Refund, Void
from payment_service.models.payment import Payment

# What can change in a row; the rest was read when it was first met, and wide rows cost.
_PAYMENT_CHANGES = load_only(
    Payment.status,
    Payment.authorized_minor,
    Payment.captured_minor,
    Payment.capturing_minor,
    Payment.refunded_minor,
    Payment.refunding_minor,
    Payment.disputed_minor,
    Payment.charged_back_minor,
    Payment.receipt_email,
    Payment.receipt_locale,
    Payment.event_count,
    Payment.event_head,
    Payment.expires_at,
    Payment.payable_until,
    Payment.paid_at,
)
_FOLLOW_UP_CHANGES = ("state", "decline_code", "last_error", "next_ask_at", "ask_count", "ended_at")
_ATTEMPT_CHANGES = (
    *_FOLLOW_UP_CHANGES,
    "fraud_decision",
    "fraud_reasons",
    "authorization_code",
    "three_ds_status",
    "three_ds_eci",
    "liability",
    "next_action_url",
    "started_at",
    "send_before",
    "held_at",
)
Model = TypeVar("Model", bound=AnyMovement)


@dataclass(frozen=True, slots=True)
class MovementReference(Generic[Model]):
    """By what a movement is found and locked: values, which can be read when its row cannot."""

    model: type[Model]
    id: int
    payment_id: int
    public_id: str
    provider: str

    @classmethod
    def of(cls, row: Model) -> "MovementReference[Model]":
        return cls(type(row), row.id, row.payment_id, row.public_id, row.provider)


def lock_payment(session: Session, payment_id: int) -> Payment:
    """Lock a payment that is known to exist, and re-read what can have changed."""
    return session.scalars(
        select(Payment)
        .where(Payment.id == payment_id)
        .options(*((_PAYMENT_CHANGES,) if _is_known(session, Payment, payment_id) else ()))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def lock_movement(session: Session, reference: MovementReference[Model]) -> tuple[Payment, Model]:
    """Lock a movement that is known to exist, and its payment: one statement that reads the payment first."""
    model: Any = reference.model
    statement = _select_both(
        model, _is_known(session, Payment, reference.payment_id), _is_known(session, model, reference.id)
    )
    ids = {"payment_id": reference.payment_id, "movement_id": reference.id}
    payment, movement = session.execute(statement, ids).one()
    return payment, movement


# Every payment comes here twice, and building this statement would cost as much as sending it.
@cache
def _select_both(model: Any, is_payment_known: bool, is_movement_known: bool) -> Select[Payment, Any]:
    names = _ATTEMPT_CHANGES if model is PaymentAttempt else _FOLLOW_UP_CHANGES
    changes = load_only(*(getattr(model, name) for name in names))
    return (
        select(Payment, model)
        .join(model, model.payment_id == Payment.id)
        .where(Payment.id == bindparam("payment_id"), model.id == bindparam("movement_id"))
        .options(*((_PAYMENT_CHANGES,) if is_payment_known else ()))
        .options(*((changes,) if is_movement_known else ()))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _is_known(session: Session, model: type[Base], row_id: int) -> bool:
    """Whether the session holds what cannot change in a row, so that only the rest need be read.

    A row that is new to the session, or that the rollback of a first run expired, is read whole: what it
    lacked would be read later, outside of any unit of work, where nobody expects the database to be away.
    """
    known = session.identity_map.get(identity_key(model, row_id))
    return known is not None and not inspect(known).expired


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
