"""Ids in the paths of /v1, as the description shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from payment_service.schemas.v1 import examples


def _id(name: str, description: str, example: str) -> Sequence[Mapping[str, Any]]:
    return [{"in": "path", "name": name, "description": description, "example": example}]


PAYMENT_ID = _id("payment_id", "The id of a payment.", examples.PAYMENT)
REFUND_ID = _id("refund_id", "The id of a refund.", examples.REFUND)
DISPUTE_ID = _id("dispute_id", "The id of a dispute.", examples.DISPUTE)
PAYMENT_METHOD_ID = _id("payment_method_id", "The id of a stored card.", examples.CARD)
