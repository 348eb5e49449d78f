"""Creates a payment of /v1, and pays it in the same request where that is wanted."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from service_kit import strict_json
from service_kit.clock import utc_now
from service_kit.deadlines import Deadline
from service_kit.ids import new_id
from sqlalchemy.orm import Session

from payment_service.commands.dependencies import Dependencies
from payment_service.commands.payments.charging import Charge, Wish, new_attempt
from payment_service.commands.payments.confirm_payment import PayWith, read_wish
from payment_service.commands.payments.pay_once import Begun, Keyed, pay_once, refuse_once
from payment_service.domain.idempotency.keys import StoredAnswer
from payment_service.domain.payments.claims import store_claimed_payment
from payment_service.domain.payments.new_payments import store_new_payment
from payment_service.errors import PaymentMethodUnusable
from payment_service.models.payments.payment import Payment
from payment_service.values.money import Money
from payment_service.values.statuses import CaptureMethod, PaymentStatus, Surface


@dataclass(frozen=True, slots=True)
class CreateMerchantPayment:
    """What a merchant wants to be paid; with ``pay_with`` at once.

    ``details`` is JSON that we only keep; ``customer_id`` is the merchant's own name for the customer.
    """

    merchant_id: int
    actor: str
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
    command: CreateMerchantPayment, keyed: Keyed, dependencies: Dependencies
) -> StoredAnswer:
    """Store a pending payment, charge it where that is wanted, and answer with it.

    Raises:
        PaymentMethodUnusable: the stored card is none (any more); nothing was begun.
    """
    now = utc_now()
    public_id = new_id("pay")
    token = secrets.token_urlsafe(24)
    try:
        wish = _read_wish(command, dependencies)
    except PaymentMethodUnusable as refusal:
        return refuse_once(public_id, keyed, refusal, dependencies, now)
    send_deadline = Deadline.after(dependencies.config.limits.send_within_s)
    new = new_attempt(wish, dependencies, now) if wish else None
    rules = dependencies.settler.rules

    def begin_payment(session: Session) -> Begun:
        payment = _new_payment(session, command, public_id, token, now, dependencies)
        if wish is None or new is None:
            store_new_payment(session, rules.event_key, payment, actor=command.actor)
            return Begun(payment, None)
        attempt = store_claimed_payment(session, rules.event_key, payment, new, actor=command.actor)
        merchant = rules.merchants.get(session, command.merchant_id)
        return Begun(payment, attempt, Charge.of(payment, attempt, merchant, wish, send_deadline))

    return pay_once(public_id, keyed, begin_payment, dependencies, now)


def _read_wish(command: CreateMerchantPayment, dependencies: Dependencies) -> Wish | None:
    if command.pay_with is None:
        return None
    return read_wish(command.merchant_id, command.pay_with, command.actor, dependencies)


def _new_payment(
    session: Session,
    command: CreateMerchantPayment,
    public_id: str,
    token: str,
    now: datetime,
    dependencies: Dependencies,
) -> Payment:
    merchant = dependencies.settler.rules.merchants.get(session, command.merchant_id)
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
