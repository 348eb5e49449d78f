"""Answers of /v1 about payments: made of the rows as they stand, and of nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from service_kit.web import strict_json
from service_kit.web.problems import CONTENT_TYPE as PROBLEM_CONTENT_TYPE
from service_kit.web.problems import Problem

from payment_service.controllers.request import current_dependencies
from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.transitions import PAYABLE
from payment_service.domain.settlement.follow_up import FollowUp
from payment_service.models.movement import Capture, PaymentAttempt, Refund, Void
from payment_service.models.payment import Payment
from payment_service.schemas.v1.movements import RefundSchema, RefundView
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


@dataclass(frozen=True, slots=True)
class _Words:
    """How one kind of movement is told when it was not carried out."""

    name: str
    declined: str
    unchanged: str

    @property
    def not_sent(self) -> str:
        """It surely never left."""
        return f"The bank could not be reached. {self.unchanged}; please try again with a new key."

    @property
    def abandoned(self) -> str:
        """It may have left, and the bank promised never to carry it out."""
        return (
            f"It was given up before the bank had carried it out. {self.unchanged}; "
            "please try again with a new key."
        )


_CAPTURE = _Words("capture", "The bank declined the capture; nothing was taken.", "Nothing was taken")
_CANCELLATION = _Words(
    "cancellation", "The bank declined to release what it holds; nothing changed.", "Nothing changed"
)
_REFUND = _Words("refund", "The bank declined the refund; nothing went back.", "Nothing went back")


def present_capture(payment: Payment, attempt: PaymentAttempt, capture: Capture) -> StoredAnswer:
    """Answer with the payment; 202 while it is not known what became of the capture."""
    return _tell(capture, HTTPStatus.OK, {"payment": show_payment(payment, attempt)}, _CAPTURE)


def present_cancellation(payment: Payment, attempt: PaymentAttempt | None, void: Void | None) -> StoredAnswer:
    """Answer with the payment; there is no void where nothing was held."""
    shown = show_payment(payment, attempt)
    if void is None:
        return _stored(HTTPStatus.OK, shown)
    return _tell(void, HTTPStatus.OK, {"payment": shown}, _CANCELLATION)


def present_refund(payment: Payment, _attempt: PaymentAttempt, refund: Refund) -> StoredAnswer:
    """Answer with the refund; 202 while it is pending."""
    shown: Mapping[str, Any] = RefundSchema().dump(RefundView(refund, payment.public_id))
    return _tell(refund, HTTPStatus.CREATED, {"refund": shown}, _REFUND)


def _tell(
    movement: FollowUp, done: HTTPStatus, resource: Mapping[str, Mapping[str, Any]], words: _Words
) -> StoredAnswer:
    """``resource`` is the one member, by its name, that is the answer, or that a problem carries."""
    (shown,) = resource.values()
    if movement.is_open:
        return _stored(HTTPStatus.ACCEPTED, shown, retry_after_s=RETRY_AFTER_S)
    if movement.state == MovementState.APPROVED:
        return _stored(done, shown)
    if movement.state == MovementState.DECLINED:
        members = {"decline_code": movement.decline_code, **resource}
        return _problem(HTTPStatus.PAYMENT_REQUIRED, f"{words.name}_declined", words.declined, members)
    if movement.state == MovementState.ABANDONED:
        return _problem(HTTPStatus.BAD_GATEWAY, f"{words.name}_abandoned", words.abandoned, resource)
    return _problem(HTTPStatus.BAD_GATEWAY, f"{words.name}_not_sent", words.not_sent, resource)


def _stored(
    status: HTTPStatus, shown: Mapping[str, Any], *, retry_after_s: int | None = None
) -> StoredAnswer:
    location = f"/v1/refunds/{shown['id']}" if shown["object"] == "refund" else None
    return StoredAnswer(
        status=status,
        body=strict_json.dumps(shown).encode(),
        content_type="application/json",
        location=location,
        retry_after_s=retry_after_s,
    )


def _problem(status: HTTPStatus, code: str, detail: str, members: Mapping[str, Any]) -> StoredAnswer:
    document = Problem(status, code, detail, members=members).document()
    return StoredAnswer(
        status=status, body=strict_json.dumps(document).encode(), content_type=PROBLEM_CONTENT_TYPE
    )
