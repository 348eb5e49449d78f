"""What came of a request to pay, for whoever made it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any

from service_kit.web import strict_json

from payment_service.domain.payments.transitions import HOLDING
from payment_service.errors import ChargeAbandoned, ChargeNotSent, PaymentBusy, PaymentClosed
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.values.money import Money
from payment_service.values.statuses import MovementState, PaymentStatus

SUCCEEDED = HOLDING | {PaymentStatus.COMPLETED}
WAITS_FOR_SOMEBODY = frozenset({PaymentStatus.IN_REVIEW, PaymentStatus.REQUIRES_ACTION})
CLOSED = frozenset({PaymentStatus.CANCELLED, PaymentStatus.EXPIRED})
REFUSED = frozenset({MovementState.DECLINED, MovementState.FAILED})


class ProcessingResult(StrEnum):
    """What came of the request to pay; a hold counts as paid for the payer, who has nothing left to do."""

    PAID = "paid"
    DECLINED = "declined"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """The answer to the request to pay: values, so that it can be given when the database is away.

    ``captured`` is what was taken so far, ``refunded`` what was given back of it. ``attempt_id`` names the
    attempt that waits for its cardholder. ``refused_because`` is for testers only: see ``for_testers``.
    ``is_own``: it is about this very form or request, and not about an earlier one.
    """

    result: ProcessingResult
    payment_id: int
    order_id: str
    amount: Money
    captured: Money
    refunded: Money
    status: str
    paid_at: datetime | None = None
    decline_code: str | None = None
    refused_because: str | None = None
    card_last4: str | None = None
    authorization_code: str | None = None
    next_action_url: str | None = None
    attempt_id: str | None = None
    is_own: bool = False


def describe(
    payment: Payment,
    attempt: PaymentAttempt | None,
    result: ProcessingResult | None = None,
    *,
    is_own: bool = False,
) -> PaymentResult:
    """Take what an answer needs out of the rows; without a ``result`` it is PAID or PENDING."""
    waits_for_payer = payment.status == PaymentStatus.REQUIRES_ACTION
    succeeded = payment.status in SUCCEEDED
    return PaymentResult(
        result=result or (ProcessingResult.PAID if succeeded else ProcessingResult.PENDING),
        payment_id=payment.id,
        order_id=payment.order_id,
        amount=payment.amount,
        captured=payment.captured,
        refunded=payment.refunded,
        status=payment.status,
        paid_at=payment.paid_at,
        decline_code=attempt.decline_code if attempt else None,
        refused_because=refused_because(attempt) if attempt else None,
        card_last4=attempt.card_last4 if attempt else None,
        authorization_code=attempt.authorization_code if attempt else None,
        next_action_url=attempt.next_action_url if attempt and waits_for_payer else None,
        attempt_id=attempt.public_id if attempt and waits_for_payer else None,
        is_own=is_own,
    )


def found_by_checks(fraud_reasons: Sequence[Mapping[str, Any]]) -> str | None:
    """Return in words what fraud-service found, for those who may know its rules."""
    return "; ".join(str(reason.get("detail") or reason.get("rule")) for reason in fraud_reasons) or None


def refused_because(attempt: PaymentAttempt) -> str | None:
    """Return why our own checks refused it; None where it was the bank, or nobody."""
    if attempt.state != MovementState.FAILED or attempt.fraud_reasons is None:
        return None
    return found_by_checks(strict_json.loads(attempt.fraud_reasons.encode()))


def result_for_payer(
    payment: Payment,
    attempt: PaymentAttempt | None,
    now: datetime,
    busy_grace_s: float | None,
    *,
    is_own_attempt: bool = False,
) -> PaymentResult:
    """Answer from the rows alone: the payment's state first, then that of the attempt which answers for us.

    ``busy_grace_s``: how long after ``send_before`` its sender may still be at work; None says that the
    caller has sent it, so nobody else is.
    ``is_own_attempt``: the attempt is that of this form or request, sent now or before.

    Raises:
        PaymentClosed: cancelled or expired.
        PaymentBusy: its sender may still be at work.
        ChargeNotSent, ChargeAbandoned: the attempt surely took nothing.
    """
    if payment.status in SUCCEEDED:
        is_own = attempt is not None and attempt.state == MovementState.APPROVED and is_own_attempt
        return describe(payment, attempt, is_own=is_own)
    was_refused = attempt is not None and attempt.state in REFUSED
    if was_refused and (is_own_attempt or payment.status not in CLOSED):
        return describe(payment, attempt, ProcessingResult.DECLINED)
    if attempt is None or payment.status in CLOSED:
        raise PaymentClosed(payment.status)
    if payment.status in WAITS_FOR_SOMEBODY:
        return describe(payment, attempt)
    if attempt.state == MovementState.ABANDONED:
        raise ChargeAbandoned
    if not attempt.is_open:
        raise ChargeNotSent
    if busy_grace_s is not None:
        refuse_while_busy(attempt, now, busy_grace_s)
    return describe(payment, attempt)


def refuse_while_busy(attempt: PaymentAttempt, now: datetime, busy_grace_s: float) -> None:
    """Say until when, at most, the sender of an open attempt may still be at work.

    Raises:
        PaymentBusy: that is yet to come.
    """
    busy_until = attempt.send_before + timedelta(seconds=busy_grace_s)
    if now < busy_until:
        raise PaymentBusy(max(1, ceil((busy_until - now).total_seconds())))
