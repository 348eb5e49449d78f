"""Texts of merchants that we keep: one line each, and never a card number."""

from collections.abc import Callable
from typing import Any

import marshmallow as ma
from service_kit.web.strict_fields import ONE_LINE

from payment_service.values.cards import holds_card_number

CARD_NUMBER_IN_TEXT = "Holds what must be a card number: that belongs into `card` alone."


def refuse_card_number(text: str) -> None:
    """Let no card number into what is kept in clear.

    Raises:
        marshmallow.ValidationError: one is in it; the message does not repeat it.
    """
    if holds_card_number(text):
        raise ma.ValidationError(CARD_NUMBER_IN_TEXT)


def text_field(longest: int, shortest: int = 1, **kwargs: Any) -> ma.fields.String:
    rules: list[Callable[[str], Any]] = [
        ma.validate.Length(min=shortest, max=longest),
        ONE_LINE,
        refuse_card_number,
    ]
    return ma.fields.String(validate=rules, **kwargs)
