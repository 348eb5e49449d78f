"""The books as a merchant sees them; all amounts in minor units."""

from typing import Any

import marshmallow as ma
from service_kit.web.shown_fields import shown
from service_kit.web.strict_fields import UtcTime

from payment_service.schemas.v1.pagination import CreatedQuerySchema, PublicId
from payment_service.values.statuses import EntryKind, LedgerAccount


def _balance(account: str, **description: Any) -> ma.fields.Integer:
    return shown(ma.fields.Integer, attribute=f"{account}_minor", **description)


class CurrencyBalanceSchema(ma.Schema):
    """Balances of one currency: ``provider_receivable`` is always the sum of the other three.

    A dispute about money that was refunded takes ``available`` below 0 where nothing else is in it.
    """

    currency = shown(ma.fields.String, example="MAD", description="ISO 4217.")
    available = _balance(
        "available",
        example=199999,
        description="What the merchant is owed (account merchant_payable); below 0, what it owes.",
    )
    refunds_in_transit = _balance(
        "refunds_in_transit",
        description="Refunds that were asked for and have not reached the cardholder yet.",
    )
    disputes = _balance("disputes", description="What is held back in open disputes.")
    provider_receivable = _balance(
        "provider_receivable",
        description="What the providers hold for the merchant; below 0, what they are owed.",
    )


class BalanceSchema(ma.Schema):
    """The merchant's balances; a currency in which nothing was ever moved is left out."""

    object = ma.fields.Constant("balance", required=True)
    balances = ma.fields.List(ma.fields.Nested(CurrencyBalanceSchema), required=True)


class EntryQuerySchema(CreatedQuerySchema):
    payment = PublicId(load_default=None, metadata={"description": "Of this payment only."})
    account = ma.fields.Enum(
        LedgerAccount, by_value=True, load_default=None, metadata={"description": "Of this account only."}
    )
    kind = ma.fields.Enum(
        EntryKind, by_value=True, load_default=None, metadata={"description": "Of this kind only."}
    )


class BalanceEntrySchema(ma.Schema):
    """One entry. The amounts of an account's entries add up to its balance."""

    id = ma.fields.String(required=True, attribute="entry.public_id")
    object = ma.fields.Constant("balance_entry", required=True)
    account = ma.fields.String(required=True, attribute="entry.account")
    kind = ma.fields.String(required=True, attribute="entry.kind")
    amount = shown(
        ma.fields.Integer,
        attribute="entry.balance_minor",
        description="By how much it changed the account's balance; negative where it fell.",
    )
    currency = ma.fields.String(required=True, attribute="entry.currency")
    payment = shown(ma.fields.String, example="pay_01k9v4m2d7x8r3q5t6w1z0y4bn")
    source = shown(
        ma.fields.String,
        attribute="entry.source",
        description="The capture, refund or dispute that was posted.",
    )
    provider = ma.fields.String(required=True, attribute="entry.provider")
    created_at = UtcTime(required=True, attribute="entry.posted_at")
