"""The integer ids of the lab surface, as they come in a path."""

import re

from payment_service.errors import PaymentNotFound

_LARGEST = 2**63 - 1
_ID = re.compile(r"[1-9][0-9]{0,18}")


def read_payment_id(text: str) -> int:
    """Return the id.

    Raises:
        PaymentNotFound: it is none that a payment can have (0, None, negative, too long, letters).
    """
    if not _ID.fullmatch(text) or int(text) > _LARGEST:
        raise PaymentNotFound(text)
    return int(text)
