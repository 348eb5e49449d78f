"""Answers of /v1 about payments and their movements: made of their rows, and of nothing else."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from service_kit.process.config import Profile
from service_kit.web import strict_json
from service_kit.web.problems import CONTENT_TYPE as PROBLEM_CONTENT_TYPE
from service_kit.web.problems import Problem

from payment_service.controllers.request import current_dependencies
from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.results import refused_because
from payment_service.domain.payments.transitions import PAYABLE, kind_of
from payment_service.models.movement import AnyMovement, PaymentAttempt, Refund
from payment_service.models.payment import Payment
from payment_service.processing.idempotent import PaymentRows
from payment_service.queries.refunds import RefundOfPayment
from payment_service.refusals import Refusal, for_testers, refusal_of
from payment_service.schemas.v1.movements import RefundSchema
from payment_service.schemas.v1.payment import PaymentSchema
from payment_service.schemas.v1.payment_view import PaymentView
from payment_service.values.statuses import MovementState, PaymentStatus

RETRY_AFTER_S = 2
_OPEN = frozenset({PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_ACTION, PaymentStatus.IN_REVIEW})
_PAYMENT, _REFUND = PaymentSchema(), RefundSchema()


def present_payment(
    rows: PaymentRows, done: HTTPStatus = HTTPStatus.OK, location: str | None = None
) -> StoredAnswer:
    """Answer with the payment; a problem when the attempt to pay it was refused."""
    payment, attempt, shown = rows.payment, rows.attempt, _show_payment(rows)
    # Another one may be at work since.
    is_over = attempt is not None and payment.status == PaymentStatus.PROCESSING and not attempt.is_open
    if attempt is not None and (payment.status in PAYABLE or is_over):
        return _refused(attempt, {"decline_code": attempt.decline_code, "payment": shown}, location=location)
    status = HTTPStatus.ACCEPTED if payment.status in _OPEN else done
    retry_after_s = RETRY_AFTER_S if payment.status == PaymentStatus.PROCESSING else None
    return stored(status, shown, location, retry_after_s)


def present_created(rows: PaymentRows) -> StoredAnswer:
    return present_payment(rows, HTTPStatus.CREATED, f"/v1/payments/{rows.payment.public_id}")


def present_follow_up(rows: PaymentRows) -> StoredAnswer:
    """Answer a capture or cancellation with the payment; 202 while its outcome is open."""
    shown = _show_payment(rows)
    if rows.follow_up is None:
        # Nothing was held: no provider was called.
        return stored(HTTPStatus.OK, shown)
    return _present_movement(rows.follow_up, HTTPStatus.OK, "payment", shown)


def present_refund(rows: PaymentRows) -> StoredAnswer:
    """Answer with the refund; 202 while it is pending."""
    refund = rows.follow_up
    if not isinstance(refund, Refund):
        raise LookupError("This is no refund.")
    shown: Mapping[str, Any] = _REFUND.dump(RefundOfPayment(refund, rows.payment.public_id))
    location = f"/v1/refunds/{refund.public_id}"
    return _present_movement(refund, HTTPStatus.CREATED, "refund", shown, location=location)


def view_of(payment: Payment, attempt: PaymentAttempt | None) -> PaymentView:
    return PaymentView(payment, attempt, current_dependencies().config.public_base_url)


def _show_payment(rows: PaymentRows) -> Mapping[str, Any]:
    shown: Mapping[str, Any] = _PAYMENT.dump(view_of(rows.payment, rows.attempt))
    return shown


def _present_movement(
    movement: AnyMovement,
    done: HTTPStatus,
    member: str,
    shown: Mapping[str, Any],
    *,
    location: str | None = None,
) -> StoredAnswer:
    """``shown`` is the answer, or what a problem carries as ``member``."""
    if movement.is_open:
        return stored(HTTPStatus.ACCEPTED, shown, location, RETRY_AFTER_S)
    if movement.state == MovementState.APPROVED:
        return stored(done, shown, location)
    is_declined = movement.state == MovementState.DECLINED
    code = {"decline_code": movement.decline_code} if is_declined else {}
    return _refused(movement, {**code, member: shown})


def _refused(
    movement: AnyMovement, members: Mapping[str, Any], *, location: str | None = None
) -> StoredAnswer:
    refusal = refusal_of(kind_of(movement), movement.state)
    problem = Problem(refusal.status, refusal.code, _detail(refusal, movement), members=members)
    body = strict_json.dumps(problem.document()).encode()
    return StoredAnswer(refusal.status, body, PROBLEM_CONTENT_TYPE, location)


def _detail(refusal: Refusal, movement: AnyMovement) -> str:
    because = refused_because(movement) if isinstance(movement, PaymentAttempt) else None
    if because is None or current_dependencies().config.profile is not Profile.LAB:
        return refusal.detail
    return f"{refusal.detail} {for_testers(because)}"


def stored(
    status: HTTPStatus,
    shown: Mapping[str, Any],
    location: str | None = None,
    retry_after_s: int | None = None,
) -> StoredAnswer:
    body = strict_json.dumps(shown).encode()
    return StoredAnswer(status, body, "application/json", location, retry_after_s)
