"""Row locks, always in this order: payment, then attempt, so that no two of us dead-lock."""

from functools import cache
from typing import TypeVar

from sqlalchemy import Select, bindparam, inspect, select
from sqlalchemy.orm import Session, load_only
from sqlalchemy.orm.util import identity_key

from payment_service.models.base import Base
from payment_service.models.movement import Capture, PaymentAttempt, Refund, Void
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
_ATTEMPT_CHANGES = load_only(
    PaymentAttempt.state,
    PaymentAttempt.fraud_decision,
    PaymentAttempt.fraud_reasons,
    PaymentAttempt.decline_code,
    PaymentAttempt.authorization_code,
    PaymentAttempt.last_error,
    PaymentAttempt.three_ds_status,
    PaymentAttempt.three_ds_eci,
    PaymentAttempt.liability,
    PaymentAttempt.next_action_url,
    PaymentAttempt.send_before,
    PaymentAttempt.held_at,
    PaymentAttempt.next_ask_at,
    PaymentAttempt.ask_count,
    PaymentAttempt.ended_at,
)


def lock_payment(session: Session, payment_id: int) -> Payment:
    """Lock a payment that is known to exist, and re-read what can have changed."""
    return session.scalars(
        select(Payment)
        .where(Payment.id == payment_id)
        .options(*((_PAYMENT_CHANGES,) if _is_known(session, Payment, payment_id) else ()))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def lock_attempt(session: Session, attempt_id: int) -> PaymentAttempt:
    """Lock an attempt that is known to exist, and re-read it likewise; its payment is locked already."""
    return session.scalars(
        select(PaymentAttempt)
        .where(PaymentAttempt.id == attempt_id)
        .options(*((_ATTEMPT_CHANGES,) if _is_known(session, PaymentAttempt, attempt_id) else ()))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def lock_payment_and_attempt(
    session: Session, payment_id: int, attempt_id: int
) -> tuple[Payment, PaymentAttempt]:
    """Lock both in one statement, which reads the payment first."""
    statement = _select_both(
        _is_known(session, Payment, payment_id), _is_known(session, PaymentAttempt, attempt_id)
    )
    ids = {"payment_id": payment_id, "attempt_id": attempt_id}
    payment, attempt = session.execute(statement, ids).one()
    return payment, attempt


# Every payment comes here twice, and building this statement would cost as much as sending it.
@cache
def _select_both(is_payment_known: bool, is_attempt_known: bool) -> Select[Payment, PaymentAttempt]:
    return (
        select(Payment, PaymentAttempt)
        .join(PaymentAttempt, PaymentAttempt.payment_id == Payment.id)
        .where(Payment.id == bindparam("payment_id"), PaymentAttempt.id == bindparam("attempt_id"))
        .options(*((_PAYMENT_CHANGES,) if is_payment_known else ()))
        .options(*((_ATTEMPT_CHANGES,) if is_attempt_known else ()))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


AnyMovement = PaymentAttempt | Capture | Void | Refund
Model = TypeVar("Model", bound=AnyMovement)


def lock_movement(session: Session, model: type[Model], movement_id: int) -> Model:
    """Lock a movement that is known to exist, and re-read it; its payment is locked already."""
    return session.scalars(
        select(model)
        .where(model.id == movement_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _is_known(session: Session, model: type[Base], row_id: int) -> bool:
    """Whether the session holds what cannot change in a row, so that only the rest need be read.

    A row that is new to the session, or that the rollback of a first run expired, is read whole: what it
    lacked would be read later, outside of any unit of work, where nobody expects the database to be away.
    """
    known = session.identity_map.get(identity_key(model, row_id))
    return known is not None and not inspect(known).expired


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
