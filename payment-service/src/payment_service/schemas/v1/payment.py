"""A payment as merchants' servers see it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import marshmallow as ma
from service_kit.web import strict_json
from service_kit.web.shown_fields import shown
from service_kit.web.strict_fields import UtcTime

from payment_service.domain.payments.transitions import PAYABLE, MovementKind
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.refusals import REFUSALS
from payment_service.values.statuses import PaymentStatus

SHOWN_STATUSES = (*PaymentStatus, "partially_refunded", "refunded", "disputed", "charged_back")


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


def _own(name: str, description: str | None = None, **schema: Any) -> ma.fields.Field[Any]:
    metadata = {**({"description": description} if description else {}), **schema}
    return ma.fields.Function(lambda view: getattr(view.payment, name), required=True, metadata=metadata)


def _time(name: str) -> ma.fields.Field[Any]:
    return UtcTime(attribute=f"payment.{name}", required=True, allow_none=True)


class CardShownSchema(ma.Schema):
    bin = shown(ma.fields.String, attribute="card_bin", allow_none=True)
    last4 = shown(ma.fields.String, attribute="card_last4", allow_none=True)


class MethodShownSchema(ma.Schema):
    id = shown(ma.fields.String, allow_none=True, description="pm_… of a stored card.")
    type = shown(ma.fields.String, example="card")
    card = ma.fields.Nested(CardShownSchema, required=True)


class RedirectSchema(ma.Schema):
    url = ma.fields.String(required=True)


class NextActionSchema(ma.Schema):
    type = shown(ma.fields.String, example="redirect_to_url")
    redirect_to_url = ma.fields.Nested(RedirectSchema, required=True)


class LastErrorSchema(ma.Schema):
    code = shown(ma.fields.String, example="payment_declined")
    decline_code = ma.fields.String(required=True, allow_none=True)
    message = ma.fields.String(required=True)


class ThreeDsSchema(ma.Schema):
    """What 3-D Secure came to; ``liability`` says who bears a fraudulent payment."""

    status = shown(ma.fields.String, attribute="three_ds_status", example="authenticated")
    eci = shown(ma.fields.String, attribute="three_ds_eci", allow_none=True)
    liability = ma.fields.String(required=True, allow_none=True)


class CustomerShownSchema(ma.Schema):
    """Whom the merchant sells to; a name and a phone number only where they were given."""

    id = shown(ma.fields.String, allow_none=True, description="The merchant's own name for the customer.")
    email = shown(ma.fields.String, allow_none=True, description="Where the receipt goes.")
    locale = shown(ma.fields.String, example="fr")
    name = ma.fields.String()
    phone = ma.fields.String(metadata={"example": "+212600000000"})


class PaymentSchema(ma.Schema):
    """A payment; amounts are integers in minor units of the currency."""

    id = _own("public_id", type="string", example="pay_01JD3V6Z9GQZ4Y2T8N5R7C0B1A")
    object = ma.fields.Constant("payment", required=True)
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(SHOWN_STATUSES))
    amount = _own("amount_minor", type="integer", example=19999)
    currency = _own("currency", type="string", example="MAD")
    capture_method = _own("capture_method", type="string", enum=["automatic", "manual"])
    amount_capturable = _own("capturable_minor", "What /capture may still take.", type="integer")
    amount_captured = _own("captured_minor", type="integer")
    amount_refunded = _own("refunded_minor", type="integer")
    amount_disputed = _own("disputed_minor", "In open disputes.", type="integer")
    payment_method = ma.fields.Nested(MethodShownSchema, required=True, allow_none=True)
    next_action = ma.fields.Nested(NextActionSchema, required=True, allow_none=True)
    last_error = ma.fields.Nested(LastErrorSchema, required=True, allow_none=True)
    three_ds = ma.fields.Nested(ThreeDsSchema, required=True, allow_none=True)
    order_id = ma.fields.Function(
        lambda view: view.payment.order_id or None,
        required=True,
        metadata={"type": ["string", "null"], "description": "The merchant's own number of the order."},
    )
    customer = ma.fields.Nested(CustomerShownSchema, required=True)
    line_items = ma.fields.Function(
        lambda view: view.details.get("line_items", []),
        required=True,
        metadata={"type": "array", "items": {"type": "object"}},
    )
    description = _own("description", type=["string", "null"])
    metadata = ma.fields.Function(
        lambda view: view.details.get("metadata", {}), required=True, metadata={"type": "object"}
    )
    return_url = _own("return_url", type=["string", "null"])
    checkout_url = shown(
        ma.fields.String, allow_none=True, description="The page on which a person can pay it."
    )
    created_at = _time("created_at")
    expires_at = _time("expires_at")
    paid_at = _time("paid_at")
