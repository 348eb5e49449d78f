"""Keyed hashes: the only form in which a CVV or a request's parameters are kept."""

import hashlib
import hmac
import json
from typing import Any


def cvv_hash(key: str, number: str, cvv: str) -> str:
    """Return the HMAC-SHA256 of a card's CVV in hex; the number makes equal CVVs differ."""
    return _hmac(key, f"cvv|{number}|{cvv}")


def fingerprint(key: str, parameters: dict[str, Any]) -> str:
    """Return the HMAC-SHA256 of a request's parameters in hex, by which a repetition is recognised."""
    return _hmac(key, f"request|{json.dumps(parameters, sort_keys=True, separators=(',', ':'))}")


def _hmac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
