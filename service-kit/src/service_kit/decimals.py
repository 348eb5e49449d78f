"""Decimals from outside: the text is looked at before anything is computed."""

import re
from decimal import Decimal

# Beyond whatever a pattern takes, and still short when it is written out.
_LARGEST_MAGNITUDE = 100


def read_decimal(value: object, pattern: re.Pattern[str]) -> Decimal | None:
    """Return the decimal that came as text or as JSON's number, or None for anything else.

    ``pattern`` must match the whole of the text, or of the number written without an exponent; it bounds the
    digits. It is asked before anything is computed: Python's Decimal also takes ``1_0``, blanks, the digits
    of other scripts, and ``1e-100000000``, which fills the memory as soon as somebody writes it out.
    """
    if isinstance(value, str):
        text = value
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        if not number.is_finite() or abs(number.adjusted()) > _LARGEST_MAGNITUDE:
            return None
        text = f"{number:f}"
    else:
        return None
    return Decimal(text) if pattern.fullmatch(text) else None
