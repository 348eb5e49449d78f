"""Tokens and keys as JSON, with the names of RFC 6749 and RFC 7517."""

import marshmallow as ma
from service_kit.clock import utc_text
from service_kit.web.shown_fields import constant, shown

from payment_service.schemas.v1 import examples


class TokenSchema(ma.Schema):
    """RFC 6749, 5.1."""

    access_token = shown(
        ma.fields.String,
        example="eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJjbGlfMDFqZDN2In0.c2ln",
        description="A JWT (RFC 9068), for `Authorization: Bearer …`.",
    )
    token_type = shown(ma.fields.String, example="Bearer", description="Always `Bearer`.")
    expires_in = shown(ma.fields.Integer, example=900, description="For how many seconds it is valid.")
    scope = shown(
        ma.fields.String,
        example="payments:read payments:write",
        description="What it allows: scopes with a blank between.",
    )


class TokenRefusalSchema(ma.Schema):
    """RFC 6749, 5.2; not a problem document, because OAuth libraries read this one."""

    error = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(
            ["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type", "slow_down"]
        ),
        metadata={"example": "invalid_client", "description": "For programs: docs/reference explains each."},
    )
    error_description = shown(
        ma.fields.String,
        example="Unknown client, wrong secret, or a client that was disabled.",
        description="For people.",
    )


class JwkSchema(ma.Schema):
    """A public key; ``crv`` and ``x`` are of Ed25519, ``n`` and ``e`` of RSA."""

    kty = shown(ma.fields.String, example="OKP")
    kid = ma.fields.String(required=True)
    alg = shown(ma.fields.String, example="EdDSA")
    use = shown(ma.fields.String, example="sig")
    crv = ma.fields.String(metadata={"example": "Ed25519"})
    x = ma.fields.String()
    n = ma.fields.String()
    e = ma.fields.String()


class JwksSchema(ma.Schema):
    """RFC 7517, 5."""

    keys = ma.fields.List(ma.fields.Nested(JwkSchema), required=True)


class MerchantSchema(ma.Schema):
    """The merchant's own data, as receipts show it."""

    id = shown(ma.fields.String, attribute="public_id", example="mer_lab", description="The merchant's id.")
    object = constant("merchant")
    name = shown(ma.fields.String, example="Store Manager", description="What payers know it by.")
    legal_name = shown(ma.fields.String, example="Store Manager SARL", description="The name of its company.")
    address = shown(
        ma.fields.String,
        example="1, rue du Laboratoire\n20000 Casablanca\nMaroc",
        description="Its address: lines, a newline between.",
    )
    tax_number = shown(
        ma.fields.String,
        example="IF 00000001",
        description="Its tax number; empty where there is none.",
    )
    locale = shown(
        ma.fields.String, example="fr", description="The language of receipts where the payer chose none."
    )
    currency = shown(ma.fields.String, example="MAD", description=f"Its usual one: {examples.CURRENCY}")
    # Not a DateTime with a format of its own: apispec describes that with a pattern that is null.
    created_at = ma.fields.Function(
        lambda merchant: utc_text(merchant.created_at),
        required=True,
        metadata={
            "type": "string",
            "format": "date-time",
            "example": examples.CREATED_AT,
            "description": "Since when it is our merchant, UTC.",
        },
    )
