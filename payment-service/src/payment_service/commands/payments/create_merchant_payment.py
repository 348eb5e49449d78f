"""Creates a payment of /v1, and pays it in the same request where that is wanted."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from service_kit.clock import utc_now
from service_kit.deadlines import Deadline
from service_kit.ids import new_id
from service_kit.web import strict_json
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.claims import store_claimed_payment, store_new_payment
from payment_service.errors import PaymentMethodUnusable
from payment_service.models.payment import Payment
from payment_service.processing.charge import Charge, PayWith, assess_and_charge, load_card, new_attempt
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.idempotent import (
    IdempotentOperation,
    PaymentRows,
    StartedMovement,
    find_payment,
    refuse_once,
    run_idempotent,
)
from payment_service.values.money import Money
from payment_service.values.statuses import CaptureMethod, PaymentStatus, Surface


@dataclass(frozen=True, slots=True)
class CreateMerchantPayment:
    """What a merchant wants to be paid; with ``pay_with`` at once.

    ``details`` is JSON that we only keep; ``customer_id`` is the merchant's own name for the customer.
    """

    merchant_id: int
    amount: Money
    capture_method: CaptureMethod
    order_id: str
    customer_id: str
    email: str | None
    locale: str | None
    description: str | None
    return_url: str | None
    details: Mapping[str, Any]
    pay_with: PayWith | None = field(default=None, repr=False)


def create_merchant_payment(
    command: CreateMerchantPayment, operation: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Store a pending payment, charge it where that is wanted, and answer with it.

    Raises:
        PaymentMethodUnusable: the stored card is none (any more); nothing was begun.
    """
    now, public_id, token = utc_now(), new_id("pay"), secrets.token_urlsafe(24)
    find = find_payment(command.merchant_id)
    if command.pay_with is None:

        def begin(session: Session) -> StoredAnswer:
            payment = _new_payment(session, command, public_id, token, now, dependencies)
            store_new_payment(session, dependencies.policy.event_key, payment, actor=operation.actor)
            return operation.present(PaymentRows(payment, None))

        return run_idempotent(operation, public_id, begin, find, dependencies, now)
    try:
        paid_with = load_card(command.merchant_id, command.pay_with, operation.actor, dependencies)
    except PaymentMethodUnusable as refusal:
        return refuse_once(operation, public_id, refusal, find, dependencies, now)
    send_deadline = Deadline.after(dependencies.config.limits.send_within_s)
    new = new_attempt(paid_with, dependencies, now)

    def begin_paid(session: Session) -> StartedMovement:
        policy = dependencies.policy
        payment = _new_payment(session, command, public_id, token, now, dependencies)
        attempt = store_claimed_payment(session, policy.event_key, payment, new, actor=operation.actor)
        merchant = policy.merchants.get(session, command.merchant_id)
        charge = Charge.of(payment, attempt, merchant, paid_with, send_deadline)
        rows = PaymentRows(payment, attempt)
        return StartedMovement(rows, lambda tell: assess_and_charge(charge, dependencies, tell))

    return run_idempotent(operation, public_id, begin_paid, find, dependencies, now)


def _new_payment(
    session: Session,
    command: CreateMerchantPayment,
    public_id: str,
    token: str,
    now: datetime,
    dependencies: Dependencies,
) -> Payment:
    merchant = dependencies.policy.merchants.get(session, command.merchant_id)
    return Payment(
        public_id=public_id,
        merchant_id=command.merchant_id,
        surface=Surface.V1,
        order_id=command.order_id,
        user_id=command.customer_id,
        amount_minor=command.amount.amount_minor,
        currency=command.amount.currency,
        capture_method=command.capture_method,
        status=PaymentStatus.PENDING,
        description=command.description,
        details=strict_json.dumps(command.details, only_ascii=False) if command.details else None,
        return_url=command.return_url,
        checkout_token=token,
        receipt_email=command.email,
        receipt_locale=command.locale or merchant.locale,
        event_count=0,
        event_head="",
        created_at=now,
        expires_at=now + timedelta(seconds=dependencies.config.limits.payment_s),
    )
