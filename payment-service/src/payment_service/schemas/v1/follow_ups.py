"""What merchants' servers send to capture and to cancel; both bodies may be left out."""

from typing import Any

import marshmallow as ma
from service_kit.api import OptionalBody
from service_kit.strict_fields import StrictBoolean

from payment_service.domain.settlement.captures import CaptureWish
from payment_service.schemas.v1.payment_requests import amount_field, text_field


class CaptureSchema(OptionalBody):
    """How much of the hold is taken; without an amount all of it, and nothing more can be taken after."""

    amount = amount_field(load_default=None)
    final = StrictBoolean(
        load_default=False,
        metadata={"description": "Release what is left of the hold."},
    )

    @ma.post_load
    def to_wish(self, data: dict[str, Any], **_: Any) -> CaptureWish:
        """Return the wish."""
        return CaptureWish(amount_minor=data["amount"], is_final=data["final"])


class CancelSchema(OptionalBody):
    """Why the payment is cancelled."""

    reason = text_field(500, load_default=None)
