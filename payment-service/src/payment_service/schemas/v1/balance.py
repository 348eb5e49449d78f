"""The books as a merchant sees them; all amounts in minor units."""

from enum import StrEnum
from typing import Any

import marshmallow as ma
from service_kit.web.shown_fields import constant, shown
from service_kit.web.strict_fields import UtcTime

from payment_service.schemas.v1 import examples
from payment_service.schemas.v1.pagination import CreatedQuerySchema, PublicId
from payment_service.values.statuses import EntryKind, LedgerAccount


def _one_of(words: type[StrEnum]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _balance(account: str, **description: Any) -> ma.fields.Integer:
    return shown(ma.fields.Integer, attribute=f"{account}_minor", **description)


class CurrencyBalanceSchema(ma.Schema):
    """Balances of one currency: ``provider_receivable`` is always the sum of the other three.

    A dispute about money that was refunded takes ``available`` below 0 where nothing else is in it.
    """

    currency = shown(ma.fields.String, example="MAD", description=examples.CURRENCY)
    available = _balance(
        "available",
        example=199999,
        description="What the merchant is owed, in minor units; below 0, what it owes.",
    )
    refunds_in_transit = _balance(
        "refunds_in_transit",
        example=19999,
        description="Refunds that were asked for and have not reached the cardholder yet, in minor units.",
    )
    disputes = _balance(
        "disputes", example=0, description="What is held back in open disputes, in minor units."
    )
    provider_receivable = _balance(
        "provider_receivable",
        example=219998,
        description="What the providers hold for the merchant, in minor units; below 0, what they are owed.",
    )


class BalanceSchema(ma.Schema):
    """The merchant's balances; a currency in which nothing was ever moved is left out."""

    object = constant("balance")
    balances = ma.fields.List(
        ma.fields.Nested(CurrencyBalanceSchema),
        required=True,
        metadata={"description": "One for each currency in which money ever moved, by its code."},
    )


class EntryQuerySchema(CreatedQuerySchema):
    payment = PublicId(
        load_default=None,
        metadata={"description": "Only entries of this payment.", "example": examples.PAYMENT},
    )
    account = ma.fields.Enum(
        LedgerAccount,
        by_value=True,
        load_default=None,
        metadata={"description": "Only entries of this account.", "example": "merchant_payable"},
    )
    kind = ma.fields.Enum(
        EntryKind,
        by_value=True,
        load_default=None,
        metadata={"description": "Only entries of this kind.", "example": "captured"},
    )


class BalanceEntrySchema(ma.Schema):
    """One entry. The amounts of an account's entries add up to its balance."""

    id = shown(
        ma.fields.String,
        attribute="entry.public_id",
        example=examples.ENTRY,
        description="The entry's id: `ent_`, what was posted, the kind and the side.",
    )
    object = constant("balance_entry")
    account = shown(
        ma.fields.String,
        attribute="entry.account",
        example="merchant_payable",
        description=f"The account: {_one_of(LedgerAccount)}.",
    )
    kind = shown(
        ma.fields.String,
        attribute="entry.kind",
        example="captured",
        description=f"What happened: {_one_of(EntryKind)}.",
    )
    amount = shown(
        ma.fields.Integer,
        attribute="entry.balance_minor",
        example=19999,
        description="By how much it changed the account's balance, in minor units; negative where it fell.",
    )
    currency = shown(
        ma.fields.String, attribute="entry.currency", example="MAD", description=examples.CURRENCY
    )
    payment = shown(ma.fields.String, example=examples.PAYMENT, description="The payment it belongs to.")
    source = shown(
        ma.fields.String,
        attribute="entry.source",
        example=examples.CAPTURE,
        description="The id of the capture, refund or dispute that was posted (`cap_`, `re_`, `dp_`).",
    )
    provider = shown(
        ma.fields.String,
        attribute="entry.provider",
        example="bank-simulator",
        description="Who holds or moved the money.",
    )
    created_at = shown(
        UtcTime, attribute="entry.posted_at", example=examples.PAID_AT, description="When it was posted, UTC."
    )
