"""A merchant as JSON."""

import marshmallow as ma


class MerchantSchema(ma.Schema):
    """The merchant's own data, as receipts show it."""

    id = ma.fields.String(required=True, attribute="public_id", metadata={"example": "mer_lab"})
    object = ma.fields.Constant("merchant", required=True)
    name = ma.fields.String(required=True, metadata={"description": "What payers know it by."})
    legal_name = ma.fields.String(required=True)
    address = ma.fields.String(required=True, metadata={"description": "Its lines, a newline between."})
    tax_number = ma.fields.String(required=True, metadata={"description": "Empty where there is none."})
    locale = ma.fields.String(required=True, metadata={"example": "fr"})
    currency = ma.fields.String(required=True, metadata={"example": "MAD", "description": "ISO 4217."})
    # Not a DateTime with a format of its own: apispec describes that with a pattern that is null.
    created_at = ma.fields.Function(
        lambda merchant: f"{merchant.created_at:%Y-%m-%dT%H:%M:%S.%f}Z",
        required=True,
        metadata={"type": "string", "format": "date-time"},
    )
