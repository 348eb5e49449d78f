"""Fault plans, totals and lists for tests and operators."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from service_kit.web import strict_json
from service_kit.web.strict_fields import QueryInteger, StrictFloat

from bank_simulator.schemas.network import AnswerSchema, id_field
from bank_simulator.values.fault_plan import FaultPlan, Latency, Share
from bank_simulator.values.vocabulary import Status

MAX_LATENCY_MS = 60_000


def _rate() -> StrictFloat:
    return StrictFloat(
        required=True, allow_nan=False, validate=validate.Range(0, 1), metadata={"example": 0.05}
    )


def _milliseconds(example: int) -> fields.Integer:
    return fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(0, MAX_LATENCY_MS),
        metadata={"example": example},
    )


class LatencySchema(ma.Schema):
    """How many requests wait, and how long."""

    rate = _rate()
    min = _milliseconds(10)
    max = _milliseconds(300)

    @ma.validates_schema
    def check_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse a span that ends before it begins."""
        if data["max"] < data["min"]:
            raise ma.ValidationError("must not be smaller than min.", "max")

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Latency:
        """Return the value."""
        return Latency(**data)


class ShareSchema(ma.Schema):
    """A share of all requests."""

    rate = _rate()

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Share:
        """Return the value."""
        return Share(**data)


class FaultPlanSchema(ma.Schema):
    """What goes wrong, decided by the seed, the operation, the request id and the number of its arrival."""

    seed = fields.Integer(load_default=0, strict=True, metadata={"example": 7})
    latency_ms = fields.Nested(LatencySchema)
    errors = fields.Nested(ShareSchema)
    lost_answers = fields.Nested(ShareSchema)

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> FaultPlan:
        """Return the value."""
        return FaultPlan(**data)


_FAULT_PLAN = FaultPlanSchema()


def read_fault_plan(text: str) -> FaultPlan:
    """Read a plan from JSON.

    Raises:
        MalformedJson, ValidationError: it is not one.
    """
    plan: FaultPlan = _FAULT_PLAN.load(strict_json.loads(text.encode()))
    return plan


class DecisionSchema(ma.Schema):
    """What becomes of a pending request."""

    status = fields.String(
        required=True,
        validate=validate.OneOf([Status.APPROVED.value, Status.DECLINED.value]),
        metadata={"example": "approved"},
    )

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Return the decision as our own word for it."""
        return {"status": Status(data["status"])}


class TotalsSchema(ma.Schema):
    """What moved on one merchant's account; ``count`` is the number of sales and captures.

    ``disputes_minor`` is withheld in open disputes, ``chargebacks_minor`` is lost; ``net_minor`` is what the
    merchant has: sales and captures less all the others.
    """

    merchant_id = fields.String(required=True)
    currency = fields.String(required=True, metadata={"example": "MAD"})
    sales_minor = fields.Integer(required=True)
    captures_minor = fields.Integer(required=True)
    refunds_minor = fields.Integer(required=True)
    voids_minor = fields.Integer(required=True)
    disputes_minor = fields.Integer(required=True)
    chargebacks_minor = fields.Integer(required=True)
    net_minor = fields.Integer(required=True)
    count = fields.Integer(required=True)


class AllTotalsSchema(ma.Schema):
    """Totals of every merchant and currency."""

    totals = fields.List(fields.Nested(TotalsSchema), required=True)


class RequestsQuerySchema(ma.Schema):
    """Which requests to list."""

    class Meta:
        """Other query parameters are ignored."""

        unknown = ma.EXCLUDE

    merchant_id = id_field(metadata={"example": "mer_01kaq3m5x0e8d7w2v9t4r6y1zn"})
    after = QueryInteger(load_default=0, validate=validate.Range(0, 2**63 - 1))
    limit = QueryInteger(load_default=1000, validate=validate.Range(1, 10_000))


class ListedRequestSchema(AnswerSchema):
    """A request in a list, with its order and the request that it is about."""

    order_id = fields.String(required=True, allow_none=True)
    original_request_id = fields.String(required=True, allow_none=True)


class RequestsSchema(ma.Schema):
    """A page of requests, oldest first; ``next_after`` is null on the last one."""

    requests = fields.List(fields.Nested(ListedRequestSchema), required=True)
    next_after = fields.Integer(required=True, allow_none=True)
