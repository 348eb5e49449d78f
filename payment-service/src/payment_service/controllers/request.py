"""The dependencies of the application that answers the present request."""

import ipaddress
import re
from collections.abc import Mapping, Sequence

from flask import Request, current_app

from payment_service.config import IpNetwork
from payment_service.errors import NothingOfThisId, PaymentNotFound
from payment_service.processing.dependencies import Dependencies

EXTENSION = "payment-service"


def current_dependencies() -> Dependencies:
    dependencies: Dependencies = current_app.extensions[EXTENSION]
    return dependencies


def trusted_client_ip(request: Request, trusted_proxies: Sequence[IpNetwork]) -> str | None:
    """Return the address of the client, or None when anybody could have written it.

    Behind a gateway that is named in ``TRUSTED_PROXIES`` it is the one address that the gateway puts into
    X-Forwarded-For. A peer that is no named proxy speaks for itself, but only where proxies are named at
    all: otherwise the peer may be a gateway that the settings do not name.
    """
    peer = _address(request.remote_addr)
    if peer is None or not trusted_proxies:
        return None
    if not any(peer in network for network in trusted_proxies):
        return str(peer)
    forwarded = _address(request.headers.get("X-Forwarded-For"))
    return str(forwarded) if forwarded else None


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address((text or "").strip())
    except ValueError:
        return None


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
