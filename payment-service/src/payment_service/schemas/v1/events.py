"""Events as JSON: with the members that were sealed, for programs."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from service_kit.web import strict_json
from service_kit.web.shown_fields import constant, shown

from payment_service.domain.payments.results import found_by_checks
from payment_service.domain.payments.transitions import MovementKind
from payment_service.models.payment import PaymentEvent
from payment_service.refusals import REFUSALS
from payment_service.schemas.v1 import examples
from payment_service.schemas.v1.pagination import CreatedQuerySchema, PublicId
from payment_service.values.statuses import FRAUDULENT, TOO_MANY_CARDS

# Every type of event, in words.
WHAT: Mapping[str, str] = {
    "payment.created": "The payment was created.",
    "payment.processing": "An attempt to pay began.",
    "payment.released": "The attempt ended without a charge; the payment can be paid again.",
    "payment.failed": "The attempt was declined; another card may be tried.",
    "payment.requires_action": "The bank wants the cardholder to confirm the payment (3-D Secure).",
    "payment.in_review": "The payment is held until a person has looked at it.",
    "payment.review_approved": "The review approved the payment.",
    "payment.review_rejected": "The review rejected the payment; nothing was charged.",
    "payment.authorized": "The bank holds the amount for the merchant.",
    "payment.captured": "A part of the held amount was taken.",
    "payment.completed": "The payment is complete.",
    "payment.cancelled": "The payment was cancelled.",
    "payment.expired": "The payment expired.",
    "payment.late_approval": "The bank approved a charge that nobody waited for any more; it is given back.",
    "payment.reversed": "The charge that came too late was given back.",
    "payment.reversal_refused": "The bank refused to give back a charge that came too late: please look.",
    "capture.requested": "The bank is asked to take held money.",
    "capture.failed": "Held money was not taken.",
    "void.requested": "The bank is asked to release what it holds.",
    "void.failed": "What the bank holds was not released.",
    "refund.requested": "The bank is asked to give money back.",
    "refund.succeeded": "Money was given back.",
    "refund.failed": "Money was not given back.",
    "dispute.opened": "The cardholder disputes the payment through the bank.",
    "dispute.won": "The dispute was won: the merchant keeps the money.",
    "dispute.lost": "The dispute was lost: the money went back to the cardholder.",
    "dispute.contradicted": "The bank told something about a dispute that contradicts what is known.",
    "attempt.contradicted": "The bank contradicted itself about an attempt: please look.",
    "movement.contradicted": "The bank contradicted itself about a movement of money: please look.",
    "movement.amount_differs": "The bank told another amount than ours: please look.",
}


_EVENT_ID = "The event's id: the payment's digits, and which of its events it is."
_EVENT_TYPE = "What happened, such as `payment.completed`; more types may come."


class EventQuerySchema(CreatedQuerySchema):
    type = ma.fields.String(
        load_default=None,
        validate=ma.validate.OneOf(sorted(WHAT)),
        metadata={"description": "Only events of this type.", "example": "payment.completed"},
    )
    payment = PublicId(
        load_default=None,
        metadata={"description": "Only events of this payment.", "example": examples.PAYMENT},
    )


class EventSchema(ma.Schema):
    """Something that happened to a payment; the shape of ``data`` is that of its type (docs/events)."""

    id = shown(ma.fields.String, example=examples.EVENT, description=_EVENT_ID)
    object = constant("event")
    type = shown(ma.fields.String, example="payment.completed", description=_EVENT_TYPE)
    version = shown(
        ma.fields.Integer, example=1, description="Of the shape of `data`; 0 before there were versions."
    )
    payment = shown(ma.fields.String, example=examples.PAYMENT, description="The payment it happened to.")
    sequence = shown(ma.fields.Integer, example=3, description="Which event of its payment this is, from 1.")
    at = shown(
        ma.fields.String,
        format="date-time",
        example="2026-11-21T09:05:00.123456Z",
        description="When it happened, UTC.",
    )
    actor = shown(
        ma.fields.String,
        allow_none=True,
        example="api_client:cli_01jd3v6z9gqz4y2t8n5r7c0b1a",
        description="Who did it: a kind, and after a colon which one; null before that was noted.",
    )
    data = ma.fields.Dict(
        keys=ma.fields.String(),
        required=True,
        metadata={
            "example": {"amount_minor": 19999, "currency": "MAD"},
            "description": "What there is to know of it, by its type: the JSON Schemas are in docs/events.",
        },
    )

    @ma.pre_dump
    def of_row(self, event: PaymentEvent, **_: Any) -> dict[str, Any]:
        return read_event(event)


def read_event(event: PaymentEvent) -> dict[str, Any]:
    """Return the members of an event.

    Those written before events had a version lack two, and some write their time with ``+00:00``: what is
    sealed stays as it is, and is shown like the others.
    """
    document = {"version": 0, "actor": None, **strict_json.loads(event.body.encode())}
    document["at"] = document["at"].replace("+00:00", "Z")
    return document


_WHO: Mapping[str, str] = {
    "api_client": "The merchant's server",
    "payer": "The payer",
    "shop": "The shop",
    "janitor": "The payment service, on its own",
    "operator": "An operator",
    "provider": "The bank",
}
# What the members of an event's data are about; the rest is about the movement itself.
_MONEY = {"amount_minor": "amount", "currency": "currency"}
_BANK = (
    "decline_code",
    "authorization_code",
    "three_ds_status",
    "three_ds_eci",
    "liability",
    "claimed_outcome",
    "said_amount_minor",
    "said_currency",
    "said_status",
    "detail",
)
# Not declined, or declined by us.
_NOT_THE_BANK = (None, FRAUDULENT, TOO_MANY_CARDS)


class FraudSchema(ma.Schema):
    decision = shown(
        ma.fields.String,
        example="review",
        description="`approve`, `challenge`, `review`, `decline`, or `silent` where nothing came in time.",
    )
    reasons = ma.fields.List(
        ma.fields.Dict(keys=ma.fields.String()),
        required=True,
        metadata={
            "example": [{"rule": "amount_limit", "detail": "more than 100000.00 MAD"}],
            "description": "The rules that led to it, each with its `rule` and what it found.",
        },
    )


class TimelineEntrySchema(ma.Schema):
    id = shown(ma.fields.String, example=examples.EVENT, description=_EVENT_ID)
    object = constant("timeline_entry")
    type = shown(ma.fields.String, example="payment.failed", description=_EVENT_TYPE)
    at = shown(
        ma.fields.String,
        format="date-time",
        example="2026-11-21T09:05:00.123456Z",
        description="When it happened, UTC.",
    )
    who = shown(ma.fields.String, allow_none=True, example="The payer", description="Who did it, for people.")
    actor = shown(ma.fields.String, allow_none=True, example="payer", description="Who did it, for programs.")
    what = shown(
        ma.fields.String, example=WHAT["payment.failed"], description="What happened, in a sentence."
    )
    why = shown(
        ma.fields.String,
        allow_none=True,
        example="lost_card",
        description="What explains it best: a person's reason, our rules' findings, or the bank's code.",
    )
    amount = shown(
        ma.fields.Integer,
        allow_none=True,
        example=19999,
        description="How much it was about, in minor units; null where no money was.",
    )
    currency = shown(ma.fields.String, allow_none=True, example="MAD", description=examples.CURRENCY)
    fraud = ma.fields.Nested(
        FraudSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What our checks against fraud said; null where they were not asked."},
    )
    bank = shown(
        ma.fields.Dict,
        description="What the bank answered, as far as it did.",
        example={"decline_code": "lost_card"},
    )
    details = shown(
        ma.fields.Dict,
        description="The rest: ids, the card's last digits.",
        example={"attempt": "att_01jd3v", "card_last4": "4242"},
    )

    @ma.pre_dump
    def of_row(self, event: PaymentEvent, **_: Any) -> dict[str, Any]:
        document = read_event(event)
        data = document["data"]
        fraud = _fraud(data)
        bank = {name: data[name] for name in _BANK if name in data}
        shown = {*_MONEY, *_BANK, "fraud_decision", "fraud_reasons", "reason"}
        return {
            **{name: document[name] for name in ("id", "type", "at", "actor")},
            "who": _who(document["actor"]),
            "what": WHAT.get(document["type"], document["type"]),
            # A late approval tells what its attempt had ended with, which explains nothing of it.
            "why": _why(data, fraud) if document["type"] != "payment.late_approval" else None,
            **{shown_as: data.get(name) for name, shown_as in _MONEY.items()},
            "fraud": fraud,
            "bank": bank,
            "details": {name: value for name, value in data.items() if name not in shown},
        }


def _who(actor: str | None) -> str | None:
    if actor is None:
        return None
    kind, _, _ = actor.partition(":")
    return _WHO.get(kind, kind)


def _why(data: Mapping[str, Any], fraud: Mapping[str, Any] | None) -> str | None:
    """Return what explains it best: a person's reason, fraud-service's reasons, or the bank's code."""
    if data.get("reason"):
        return str(data["reason"])
    if fraud is not None and fraud["decision"] != "approve" and data.get("decline_code") in _NOT_THE_BANK:
        return found_by_checks(fraud["reasons"])
    state = data.get("attempt_state") or data.get("movement_state")
    refusal = REFUSALS.get((MovementKind.CHARGE, state or ""))
    return data.get("decline_code") or data.get("detail") or (refusal.why if refusal else None)


def _fraud(data: Mapping[str, Any]) -> dict[str, Any] | None:
    if "fraud_decision" not in data:
        return None
    reasons = strict_json.loads(data.get("fraud_reasons", "[]").encode())
    return {"decision": data["fraud_decision"], "reasons": reasons}
