"""What of a payment and its last attempt merchants' servers see."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from service_kit.web import strict_json

from payment_service.domain.payments.transitions import PAYABLE, MovementKind
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.refusals import REFUSALS
from payment_service.values.statuses import PaymentStatus


@dataclass(frozen=True)
class PaymentView:
    """A payment with its last attempt, as JSON needs it; ``base_url`` is where the world reaches us."""

    payment: Payment
    attempt: PaymentAttempt | None
    base_url: str

    @cached_property
    def details(self) -> dict[str, Any]:
        return strict_json.loads(self.payment.details.encode()) if self.payment.details else {}

    @property
    def status(self) -> str:
        """The stored state, or what refunds and disputes made of a paid payment."""
        payment = self.payment
        if payment.status != PaymentStatus.COMPLETED:
            return payment.status
        if payment.disputed_minor:
            return "disputed"
        if payment.charged_back_minor:
            return "charged_back"
        if payment.refunded_minor:
            return "refunded" if payment.refunded_minor == payment.captured_minor else "partially_refunded"
        return payment.status

    @property
    def payment_method(self) -> dict[str, Any] | None:
        """The card of the last attempt; its id where it is a stored one."""
        attempt = self.attempt
        return {"id": attempt.payment_method, "type": "card", "card": attempt} if attempt else None

    @property
    def next_action(self) -> dict[str, Any] | None:
        url = self.attempt.next_action_url if self.attempt else None
        if self.payment.status != PaymentStatus.REQUIRES_ACTION or url is None:
            return None
        return {"type": "redirect_to_url", "redirect_to_url": {"url": url}}

    @property
    def last_error(self) -> dict[str, Any] | None:
        attempt = self.attempt
        refusal = REFUSALS.get((MovementKind.CHARGE, attempt.state)) if attempt else None
        if attempt is None or refusal is None:
            return None
        if attempt.held_at is not None and attempt.held_at >= attempt.started_at:
            return None  # it ended in its review: nobody tried the bank
        return {"code": refusal.code, "decline_code": attempt.decline_code, "message": refusal.last_error}

    @property
    def customer(self) -> dict[str, Any]:
        payment = self.payment
        return {
            "id": payment.user_id or None,
            "email": payment.receipt_email,
            "locale": payment.receipt_locale,
            **self.details.get("customer", {}),
        }

    @property
    def checkout_url(self) -> str | None:
        """The page on which a person can pay it, while it can be paid."""
        token = self.payment.checkout_token
        return f"{self.base_url}/checkout/{token}" if token and self.payment.status in PAYABLE else None

    @property
    def three_ds(self) -> PaymentAttempt | None:
        return self.attempt if self.attempt and self.attempt.three_ds_status is not None else None
