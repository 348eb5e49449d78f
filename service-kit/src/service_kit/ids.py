"""Public identifiers: a prefix that names the kind, and 128 bits nobody can guess or collide with."""

import secrets
import time

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80


def new_id(prefix: str) -> str:
    """Return a new id such as ``pay_01k9…``: a ULID (48 bits of milliseconds, 80 random) in lower case.

    The time comes first, so rows that are inserted together lie together in the index.
    """
    value = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    digits = [_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"
