"""A payment as it stands when one of its events is told: all that an e-mail about it says."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from service_kit.currencies import is_currency
from service_kit.email_addresses import AddressNotUsable, email_address

from notification_service.commands.accept_events import NewNotification
from notification_service.values.safe_text import as_one_line, is_single_line
from notification_service.values.vocabulary import MailLocale, NotificationType

MAX_AMOUNT_MINOR = 10**15


def _single_line(text: str) -> None:
    if not text.strip() or not is_single_line(text):
        raise ma.ValidationError("Must be one line of text, without control characters.")


def _known_currency(code: str) -> None:
    if not is_currency(code):
        raise ma.ValidationError("Must be an ISO 4217 currency code.")


def _text(max_length: int, **kwargs: Any) -> fields.String:
    return fields.String(validate=[validate.Length(1, max_length), _single_line], **kwargs)


class RecipientSchema(ma.Schema):
    """Whom to tell: the payer's own address, or the user for whom the lab makes one up."""

    email = _text(254, load_default=None, allow_none=True, metadata={"examples": ["payer@example.org", None]})
    user_id = _text(64, load_default=None, allow_none=True, metadata={"examples": ["1"]})

    @ma.post_load
    def check_address(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Write the address as it is written to."""
        if data["email"] is None:
            return data
        try:
            return {**data, "email": email_address(data["email"])}
        except AddressNotUsable as exc:
            raise ma.ValidationError(str(exc), "email") from exc


class MerchantSchema(ma.Schema):
    """Who was paid; but for the name it is what the law wants on a receipt."""

    name = _text(200, required=True, metadata={"examples": ["Store Manager"]})
    legal_name = _text(200, load_default=None, allow_none=True, metadata={"examples": ["Store Manager SARL"]})
    address = fields.List(
        _text(500),
        load_default=list,
        validate=validate.Length(max=20),
        metadata={"description": "Its lines.", "examples": [["2, rue du Port", "Rabat"]]},
    )
    tax_number = _text(64, load_default=None, allow_none=True, metadata={"examples": ["IF 12345678"]})


def _minor_units(example: int) -> fields.Integer:
    return fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(0, MAX_AMOUNT_MINOR),
        metadata={"description": "In minor units of the currency.", "examples": [example]},
    )


class LineItemSchema(ma.Schema):
    """What was bought; `tax_amount` is for the whole line."""

    name = fields.String(
        required=True, validate=validate.Length(0, 200), metadata={"examples": ["Le Petit Prince"]}
    )
    quantity = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 1_000_000), metadata={"examples": [2]}
    )
    unit_amount = _minor_units(199999)
    tax_amount = _minor_units(66666)
    tax_rate = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(r"^[0-9]{1,3}([.][0-9]{1,4})?(?!\n)$"),
        metadata={"description": "In per cent.", "examples": ["20"]},
    )

    @ma.post_load
    def keep_one_line(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Take the merchant's words as they are, but for what breaks a line or turns it around."""
        return {**data, "name": as_one_line(data["name"])}


class CardSchema(ma.Schema):
    last4 = fields.String(
        required=True, validate=validate.Regexp(r"^[0-9]{4}(?!\n)$"), metadata={"examples": ["9999"]}
    )


class ToldPaymentSchema(ma.Schema):
    """``payment_id`` is the id that the payer knows; ``amount_minor`` is what was paid, or goes back."""

    type = fields.Enum(NotificationType, by_value=True, required=True)
    locale = fields.Enum(MailLocale, by_value=True, required=True)
    recipient = fields.Nested(RecipientSchema, required=True)
    payment_id = _text(64, required=True, metadata={"examples": ["3"]})
    order_id = _text(64, required=True, metadata={"examples": ["1"]})
    amount_minor = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, MAX_AMOUNT_MINOR),
        metadata={"description": "In minor units of the currency.", "examples": [399998]},
    )
    currency = fields.String(
        required=True,
        validate=_known_currency,
        metadata={"description": "ISO 4217 code.", "examples": ["MAD"]},
    )
    merchant = fields.Nested(MerchantSchema, required=True)
    line_items = fields.List(
        fields.Nested(LineItemSchema),
        load_default=list,
        validate=validate.Length(max=100),
        metadata={"examples": [[]]},
    )
    card = fields.Nested(CardSchema, required=True)
    authorization_code = _text(64, load_default=None, allow_none=True, metadata={"examples": ["A1B2C3"]})

    @ma.post_load
    def to_notification(self, data: dict[str, Any], **_: Any) -> NewNotification:
        recipient = data.pop("recipient")
        kind, locale = data.pop("type"), data.pop("locale")
        return NewNotification(kind, locale, recipient["email"], recipient["user_id"], data)
