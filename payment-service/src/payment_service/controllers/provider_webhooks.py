"""``/provider-webhooks/…``: the events that banks and providers send; an address for each of them."""

from typing import Any

import marshmallow as ma
from flask import request
from service_kit.web.api import Blueprint

from payment_service.commands.webhooks.receive_event import ReceiveEvent, receive_event
from payment_service.controllers.request import current_dependencies

provider_webhooks = Blueprint(
    "provider-webhooks",
    "provider_webhooks",
    url_prefix="/provider-webhooks",
    description="What banks and providers tell us of their own accord",
)

SIGNATURE_SCHEME = "webhook_signature"
EVENT = {
    "type": "object",
    "required": ["type", "timestamp", "data"],
    "properties": {
        "type": {"type": "string", "example": "refund.updated"},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": {"type": "object"},
    },
}


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "required": True,
        "description": description,
        "schema": {"type": "string", **schema},
    }


class ReceivedSchema(ma.Schema):
    received = ma.fields.Constant(True, required=True, metadata={"type": "boolean", "example": True})


@provider_webhooks.post("/bank-simulator")
@provider_webhooks.doc(
    security=[{SIGNATURE_SCHEME: []}],
    parameters=[
        _header("webhook-id", "The event's id, the same at every try.", maxLength=128),
        _header("webhook-timestamp", "When this try was signed: seconds since 1970.", example="1795262400"),
        _header("webhook-signature", "`v1,` and base64 of the HMAC-SHA256; several with a blank between."),
    ],
    requestBody={"required": True, "content": {"application/json": {"schema": EVENT}}},
)
@provider_webhooks.response(202, ReceivedSchema, description="Stored, now or by an earlier try; settled soon")
@provider_webhooks.problem(400, "Signed, but no event")
@provider_webhooks.problem(401, "Not signed by the bank within the last five minutes")
def receive_from_bank_simulator() -> dict[str, str]:
    """Take an event of the bank-simulator (Standard Webhooks); its signature is checked first."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    receive_event(ReceiveEvent("bank-simulator", headers, request.get_data()), current_dependencies())
    return {}
