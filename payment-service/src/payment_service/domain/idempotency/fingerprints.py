"""Names for a request and its parameters, of fixed length and with nothing readable in them."""

import hmac
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import Any

from service_kit import strict_json

# Nothing that is stored may depend on it (PCI DSS 3.3.1): three digits are guessed at once.
LEFT_OUT = frozenset({"cvc", "cvv"})
_PURPOSE = b"parameters of an idempotent request\n"


def key_hash(merchant_id: int, method: str, path: str, key: str) -> str:
    """Return SHA-256 in hex: the same key of another merchant, method or path is another one."""
    return sha256(strict_json.dumps([merchant_id, method, path, key]).encode()).hexdigest()


def fingerprint(body: object, secret: bytes) -> str:
    """Return an HMAC-SHA256 in hex over validated parameters; the CVV is left out wherever it stands.

    ``body`` is what the schema loaded: a dataclass, a mapping, or None. The order of members is nothing.

    Raises:
        TypeError: something in it has no one way to be written; a programming error.
    """
    return hmac.new(secret, _PURPOSE + strict_json.dumps(_plain(body)).encode(), sha256).hexdigest()


def _plain(value: object) -> Any:
    """Return ``value`` as JSON values that are the same for equal parameters."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return ["decimal", str(value.normalize())]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(value[name]) for name in sorted(value) if name not in LEFT_OUT}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError(f"A {type(value).__name__} cannot be part of a fingerprint.")
