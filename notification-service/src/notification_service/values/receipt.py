"""What an e-mail about a payment says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class LineItem:
    """What was bought: minor units, ``tax_amount`` for the whole line, ``tax_rate`` in per cent."""

    name: str
    quantity: int
    unit_amount: int
    tax_amount: int
    tax_rate: str | None


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
    legal_name: str | None = None
    address: tuple[str, ...] = ()
    tax_number: str | None = None
    line_items: tuple[LineItem, ...] = ()

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
            legal_name=data["merchant"].get("legal_name"),
            address=tuple(data["merchant"].get("address", ())),
            tax_number=data["merchant"].get("tax_number"),
            line_items=tuple(LineItem(**item) for item in data.get("line_items", ())),
        )
