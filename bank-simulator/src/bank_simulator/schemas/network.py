"""Requests to the card network, and its answer. Amounts are whole minor units of the currency."""

from typing import Any, ClassVar

import marshmallow as ma
from flask import current_app
from marshmallow import fields, validate
from service_kit.web.strict_fields import StrictBoolean

from bank_simulator.commands.capture import Capture
from bank_simulator.commands.pay import Pay
from bank_simulator.commands.refund import Refund
from bank_simulator.commands.void import Void
from bank_simulator.values.authentication import ThreeDSecure
from bank_simulator.values.card_data import CardData
from bank_simulator.values.vocabulary import (
    AuthenticationStatus,
    DeclineCode,
    Liability,
    RequestKind,
    Status,
    ThreeDSecureMode,
)

MAX_AMOUNT_MINOR = 10**15
# The member of the application's configuration that holds where browsers reach the simulator.
PUBLIC_URL = "SIMULATOR_PUBLIC_URL"
ID_PATTERN = "[A-Za-z0-9._:-]{1,64}"
_ID = validate.Regexp(rf"{ID_PATTERN}\Z", error="1 to 64 letters, digits and . _ : -")
# What a browser may be sent to.
_WEB_ADDRESS = validate.Regexp(
    r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][!-~]*)?\Z",
    error="An address that starts with http:// or https://.",
)
_EXAMPLE_ID = "att_01kaq3m5x0e8d7w2v9t4r6y1zn"


def id_field(**options: Any) -> fields.String:
    """Return a field for an id of 1 to 64 letters, digits and ``. _ : -``."""
    options.setdefault("metadata", {"example": _EXAMPLE_ID})
    options.setdefault("required", True)
    return fields.String(validate=_ID, **options)


def amount_field() -> fields.Integer:
    """Return a field for a positive amount in minor units."""
    return fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, MAX_AMOUNT_MINOR),
        metadata={"example": 399998},
    )


class UtcMoment(fields.AwareDateTime):
    """A moment in UTC, written with Z."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        text = super()._serialize(value, attr, obj, **kwargs)
        return None if text is None else str(text).replace("+00:00", "Z")


class AcsUrl(fields.String):
    """The address of a challenge's page, out of its token."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        token = super()._serialize(value, attr, obj, **kwargs)
        return None if token is None else f"{current_app.config[PUBLIC_URL]}/acs/{token}"


class CardSchema(ma.Schema):
    """A card as the payer typed it; ``cvv`` is null where the payer is absent."""

    number = fields.String(
        required=True,
        validate=validate.Regexp(r"[0-9]{12,19}\Z", error="12 to 19 digits."),
        metadata={"example": "9999999999999"},
    )
    exp_month = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 12), metadata={"example": 1}
    )
    exp_year = fields.Integer(
        required=True, strict=True, validate=validate.Range(2000, 2099), metadata={"example": 2030}
    )
    cvv = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(r"[0-9]{3,4}\Z", error="3 or 4 digits."),
        metadata={"example": "123"},
    )

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> CardData:
        """Return the value."""
        return CardData(**data)


class ThreeDSecureSchema(ma.Schema):
    """What the merchant wants of 3-D Secure, and where the cardholder's browser goes after a challenge."""

    mode = fields.Enum(ThreeDSecureMode, by_value=True, required=True)
    return_url = fields.String(
        required=True,
        validate=[validate.Length(max=2000), _WEB_ADDRESS],
        metadata={"example": "https://shop.example/return"},
    )
    merchant_name = fields.String(
        load_default=None,
        validate=validate.Length(1, 200),
        metadata={"example": "Librairie Atlas", "description": "Shown to the cardholder."},
    )

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> ThreeDSecure:
        """Return the value."""
        return ThreeDSecure(**data)


class PaySchema(ma.Schema):
    """What a sale and an authorisation have in common."""

    kind: ClassVar[RequestKind]

    request_id = id_field()
    amount_minor = amount_field()
    currency = fields.String(
        required=True,
        validate=validate.Regexp(r"[A-Z]{3}\Z", error="Three capital letters (ISO 4217)."),
        metadata={"example": "MAD"},
    )
    card = fields.Nested(CardSchema, required=True)
    merchant_id = id_field(metadata={"example": "mer_01kaq3m5x0e8d7w2v9t4r6y1zn"})
    order_id = id_field(metadata={"example": "1"})
    three_ds = fields.Nested(
        ThreeDSecureSchema,
        load_default=None,
        metadata={"description": "Absent: the payer is absent, and nobody is asked to authenticate."},
    )

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Pay:
        """Return the command."""
        return Pay(kind=self.kind, **data)


class SaleSchema(PaySchema):
    """A sale: the money moves at once."""

    kind = RequestKind.SALE


class AuthorizationSchema(PaySchema):
    """An authorisation: the money is held until it is captured or released."""

    kind = RequestKind.AUTHORIZATION


class CaptureSchema(ma.Schema):
    """A capture; several are possible until one is final or nothing is left."""

    request_id = id_field(metadata={"example": "cap_01kaq3m5x0e8d7w2v9t4r6y1zn"})
    original_request_id = id_field()
    amount_minor = amount_field()
    final = StrictBoolean(required=True, attribute="is_final")

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Capture:
        """Return the command."""
        return Capture(**data)


class VoidSchema(ma.Schema):
    """A void of an open authorisation, or of a sale of the last 24 hours."""

    request_id = id_field(metadata={"example": "voi_01kaq3m5x0e8d7w2v9t4r6y1zn"})
    original_request_id = id_field()

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Void:
        """Return the command."""
        return Void(**data)


class RefundSchema(ma.Schema):
    """A refund of captured money."""

    request_id = id_field(metadata={"example": "ref_01kaq3m5x0e8d7w2v9t4r6y1zn"})
    original_request_id = id_field()
    amount_minor = amount_field()

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Refund:
        """Return the command."""
        return Refund(**data)


class AuthenticationSchema(ma.Schema):
    """What 3-D Secure came to, and who bears a fraud."""

    status = fields.Enum(AuthenticationStatus, by_value=True, required=True)
    eci = fields.String(required=True, metadata={"example": "05"})
    liability = fields.Enum(Liability, by_value=True, required=True)


class AnswerSchema(ma.Schema):
    """How a request stands: always the same once it has ended, however often it is asked for.

    ``kind``, ``amount_minor`` and ``currency`` are null for a request that was abandoned before it arrived.
    ``redirect_url`` comes with ``requires_action``: there the cardholder's browser must go.
    """

    request_id = fields.String(required=True, metadata={"example": _EXAMPLE_ID})
    kind = fields.Enum(RequestKind, by_value=True, required=True, allow_none=True)
    status = fields.Enum(Status, by_value=True, required=True)
    decline_code = fields.Enum(DeclineCode, by_value=True, required=True, allow_none=True)
    authorization_code = fields.String(required=True, allow_none=True, metadata={"example": "A1B2C3"})
    amount_minor = fields.Integer(required=True, allow_none=True, metadata={"example": 399998})
    currency = fields.String(required=True, allow_none=True, metadata={"example": "MAD"})
    processed_at = UtcMoment(required=True, format="iso", metadata={"example": "2026-11-21T09:00:00.123456Z"})
    redirect_url = AcsUrl(
        required=True,
        allow_none=True,
        attribute="open_acs_token",
        metadata={"example": "http://127.0.0.1:5012/acs/kq3m5x0e8d7w2v9t4r6y1zn"},
    )
    three_ds = fields.Nested(AuthenticationSchema, required=True, allow_none=True)
