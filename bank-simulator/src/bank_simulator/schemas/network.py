"""Requests to the card network, and its answer. Amounts are whole minor units of the currency."""

from typing import Any, ClassVar

import marshmallow as ma
from flask import current_app
from marshmallow import fields, validate
from service_kit.web.api import MakingSchema
from service_kit.web.strict_fields import StrictBoolean, UtcTime

from bank_simulator.commands.follow_up import Capture, Refund, Void
from bank_simulator.commands.pay import Pay
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
    options.setdefault("metadata", {"example": _EXAMPLE_ID})
    options.setdefault("required", True)
    return fields.String(validate=_ID, **options)


def amount_field() -> fields.Integer:
    return fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, MAX_AMOUNT_MINOR),
        metadata={"example": 399998},
    )


class AcsUrl(fields.String):
    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        token = super()._serialize(value, attr, obj, **kwargs)
        return None if token is None else f"{current_app.config[PUBLIC_URL]}/acs/{token}"


class CardSchema(MakingSchema):
    """A card as the payer typed it; ``cvv`` is null where the payer is absent."""

    makes = CardData

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


class ThreeDSecureSchema(MakingSchema):
    """What the merchant wants of 3-D Secure, and where the cardholder's browser goes after a challenge."""

    makes = ThreeDSecure

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
        return Pay(kind=self.kind, **data)


class SaleSchema(PaySchema):
    kind = RequestKind.SALE


class AuthorizationSchema(PaySchema):
    kind = RequestKind.AUTHORIZATION


class CaptureSchema(MakingSchema):
    """A capture; several are possible until one is final or nothing is left."""

    makes = Capture

    request_id = id_field(metadata={"example": "cap_01kaq3m5x0e8d7w2v9t4r6y1zn"})
    original_request_id = id_field()
    amount_minor = amount_field()
    final = StrictBoolean(required=True, attribute="is_final")


class VoidSchema(MakingSchema):
    """A void of an open authorisation, or of a sale of the last 24 hours."""

    makes = Void

    request_id = id_field(metadata={"example": "voi_01kaq3m5x0e8d7w2v9t4r6y1zn"})
    original_request_id = id_field()


class RefundSchema(MakingSchema):
    makes = Refund

    request_id = id_field(metadata={"example": "ref_01kaq3m5x0e8d7w2v9t4r6y1zn"})
    original_request_id = id_field()
    amount_minor = amount_field()


class AuthenticationSchema(ma.Schema):
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
    processed_at = UtcTime(required=True, metadata={"example": "2026-11-21T09:00:00.123456Z"})
    redirect_url = AcsUrl(
        required=True,
        allow_none=True,
        attribute="open_acs_token",
        metadata={"example": "http://127.0.0.1:5012/acs/kq3m5x0e8d7w2v9t4r6y1zn"},
    )
    three_ds = fields.Nested(AuthenticationSchema, required=True, allow_none=True)
