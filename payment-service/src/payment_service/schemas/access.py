"""Tokens and keys as JSON, with the names of RFC 6749 and RFC 7517."""

import marshmallow as ma
from service_kit.clock import utc_text
from service_kit.web.shown_fields import shown


class TokenSchema(ma.Schema):
    """RFC 6749, 5.1."""

    access_token = shown(ma.fields.String, description="A JWT (RFC 9068).")
    token_type = shown(ma.fields.String, example="Bearer")
    expires_in = shown(ma.fields.Integer, description="Seconds.", example=900)
    scope = shown(ma.fields.String, example="payments:read payments:write")


class TokenRefusalSchema(ma.Schema):
    """RFC 6749, 5.2; not a problem document, because OAuth libraries read this one."""

    error = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(
            ["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type", "slow_down"]
        ),
    )
    error_description = ma.fields.String(required=True)


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

    id = shown(ma.fields.String, attribute="public_id", example="mer_lab")
    object = ma.fields.Constant("merchant", required=True)
    name = shown(ma.fields.String, description="What payers know it by.")
    legal_name = ma.fields.String(required=True)
    address = shown(ma.fields.String, description="Its lines, a newline between.")
    tax_number = shown(ma.fields.String, description="Empty where there is none.")
    locale = shown(ma.fields.String, example="fr")
    currency = shown(ma.fields.String, example="MAD", description="ISO 4217.")
    # Not a DateTime with a format of its own: apispec describes that with a pattern that is null.
    created_at = ma.fields.Function(
        lambda merchant: utc_text(merchant.created_at),
        required=True,
        metadata={"type": "string", "format": "date-time"},
    )
