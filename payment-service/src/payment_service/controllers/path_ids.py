"""Ids as they come in a path: integers on the lab surface, public ids (``pay_…``) on /v1."""

import re
from collections.abc import Mapping

from payment_service.errors import NothingOfThisId, PaymentNotFound

_LARGEST = 2**63 - 1
_ID = re.compile(r"[1-9][0-9]{0,18}")
_PUBLIC_ID = re.compile(r"[a-z]+_[0-9A-Za-z_]{1,56}")


def read_payment_id(text: str) -> int:
    """Return the id.

    Raises:
        PaymentNotFound: it is none that a payment can have (0, None, negative, too long, letters).
    """
    if not _ID.fullmatch(text) or int(text) > _LARGEST:
        raise PaymentNotFound(text)
    return int(text)


def check_public_ids(path_variables: Mapping[str, str]) -> None:
    """Let only such ids through to the database as it can compare: MySQL refuses an ``é`` there.

    Raises:
        NothingOfThisId: one of them is none that anything of ours can have.
    """
    if not all(_PUBLIC_ID.fullmatch(text) for text in path_variables.values()):
        raise NothingOfThisId
