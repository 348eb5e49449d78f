"""Creates a payment of /v1, and pays it in the same request where that is wanted."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from service_kit.ids import new_id
from service_kit.web import strict_json
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.claims import store_claimed_payment, store_new_payment
from payment_service.models.payment import Payment
from payment_service.processing.charge import (
    PayWith,
    load_card,
    new_attempt,
    started_charge,
    take_over_customer,
)
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.idempotent import (
    IdempotentOperation,
    PaymentRows,
    StartedMovement,
    find_payment,
    run_idempotent,
)
from payment_service.processing.sending import start_movement
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
        PaymentMethodOfAnotherCustomer: it is somebody else's; nothing was begun.
    """
    public_id, token, actor = new_id("pay"), secrets.token_urlsafe(24), operation.actor
    new, key = start_movement("att", actor, dependencies), dependencies.policy.event_key

    def begin(session: Session) -> StartedMovement | StoredAnswer:
        payment = _new_payment(session, command, public_id, token, new.started_at, dependencies)
        if command.pay_with is None:
            store_new_payment(session, key, payment, actor=actor)
            return operation.present(PaymentRows(payment, None))
        paid_with = load_card(session, command.merchant_id, command.pay_with, actor, dependencies)
        take_over_customer(payment, paid_with)
        attempt = new_attempt(new, paid_with, dependencies)
        stored = store_claimed_payment(session, key, payment, attempt, actor=actor)
        return started_charge(session, payment, stored, paid_with, new, dependencies)

    return run_idempotent(operation, public_id, begin, find_payment(command.merchant_id), dependencies)


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
