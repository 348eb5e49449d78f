"""Answers of /v1 about payments: made of the rows as they stand, and of nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from service_kit import strict_json
from service_kit.problems import CONTENT_TYPE as PROBLEM_CONTENT_TYPE
from service_kit.problems import Problem

from payment_service.controllers.current import current_dependencies
from payment_service.domain.idempotency.keys import StoredAnswer
from payment_service.domain.payments.transitions import PAYABLE
from payment_service.models.payments.payment import Payment
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.schemas.v1.payment import PaymentSchema, PaymentView
from payment_service.values.statuses import MovementState, PaymentStatus

RETRY_AFTER_S = 2
_OPEN = frozenset({PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_ACTION, PaymentStatus.IN_REVIEW})
_SCHEMA = PaymentSchema()


@dataclass(frozen=True, slots=True)
class _Refusal:
    """How an attempt that took nothing is told."""

    status: HTTPStatus
    code: str
    detail: str


_NOT_SENT = _Refusal(
    HTTPStatus.BAD_GATEWAY,
    "charge_not_sent",
    "The bank could not be reached. Nothing was charged; confirm again with a new key.",
)
_REFUSALS: Mapping[MovementState, _Refusal] = {
    MovementState.DECLINED: _Refusal(
        HTTPStatus.PAYMENT_REQUIRED, "payment_declined", "The bank declined; another card may follow."
    ),
    MovementState.FAILED: _Refusal(
        HTTPStatus.UNPROCESSABLE_ENTITY, "payment_refused", "Our checks refused it; nothing was charged."
    ),
    MovementState.NOT_SENT: _NOT_SENT,
    MovementState.ABANDONED: _Refusal(
        HTTPStatus.BAD_GATEWAY,
        "charge_abandoned",
        "The attempt was given up before the bank had charged the card. Nothing was charged; "
        "confirm again with a new key.",
    ),
}


def present_payment(payment: Payment, attempt: PaymentAttempt | None) -> StoredAnswer:
    """Answer a request that changed a payment."""
    return _present(payment, attempt, HTTPStatus.OK)


def present_created(payment: Payment, attempt: PaymentAttempt | None) -> StoredAnswer:
    """Answer the request that created it."""
    return _present(payment, attempt, HTTPStatus.CREATED)


def view_of(payment: Payment, attempt: PaymentAttempt | None) -> PaymentView:
    """Return the payment as the schemas take it."""
    return PaymentView(payment, attempt, current_dependencies().config.public_base_url)


def show_payment(payment: Payment, attempt: PaymentAttempt | None) -> Mapping[str, Any]:
    """Return the payment as JSON shows it."""
    shown: Mapping[str, Any] = _SCHEMA.dump(view_of(payment, attempt))
    return shown


def _present(payment: Payment, attempt: PaymentAttempt | None, done: HTTPStatus) -> StoredAnswer:
    shown = show_payment(payment, attempt)
    location = f"/v1/payments/{payment.public_id}" if done is HTTPStatus.CREATED else None
    if attempt is not None and payment.status in PAYABLE:
        return _refused(shown, attempt, location)
    is_open = payment.status in _OPEN
    return StoredAnswer(
        status=HTTPStatus.ACCEPTED if is_open else done,
        body=strict_json.dumps(shown).encode(),
        content_type="application/json",
        location=location,
        retry_after_s=RETRY_AFTER_S if payment.status == PaymentStatus.PROCESSING else None,
    )


def _refused(shown: Mapping[str, Any], attempt: PaymentAttempt, location: str | None) -> StoredAnswer:
    refusal = _REFUSALS.get(MovementState(attempt.state), _NOT_SENT)
    members = {"decline_code": attempt.decline_code, "payment": shown}
    problem = Problem(refusal.status, refusal.code, refusal.detail, members=members)
    return StoredAnswer(
        status=refusal.status,
        body=strict_json.dumps(problem.document()).encode(),
        content_type=PROBLEM_CONTENT_TYPE,
        location=location,
    )
