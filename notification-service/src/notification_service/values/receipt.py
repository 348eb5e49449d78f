"""What an e-mail about a payment says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Receipt:
    """The facts of one payment; ``amount_minor`` is in the currency's minor units, ``occurred_at`` in UTC."""

    payment_id: str
    order_id: str
    amount_minor: int
    currency: str
    occurred_at: datetime
    merchant_name: str
    card_last4: str
    authorization_code: str | None

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read the ``data`` member of a notification, as it was stored after validation."""
        return cls(
            payment_id=data["payment_id"],
            order_id=data["order_id"],
            amount_minor=data["amount_minor"],
            currency=data["currency"],
            occurred_at=datetime.fromisoformat(data["occurred_at"]),
            merchant_name=data["merchant"]["name"],
            card_last4=data["card"]["last4"],
            authorization_code=data["authorization_code"],
        )
