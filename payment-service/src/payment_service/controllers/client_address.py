"""The payer's IP address, where it can be trusted."""

import ipaddress
from collections.abc import Sequence

from flask import Request

from payment_service.config import IpNetwork


def trusted_client_ip(request: Request, trusted_proxies: Sequence[IpNetwork]) -> str | None:
    """Return the address of the client, or None when anybody could have written it.

    Behind a gateway that is named in ``TRUSTED_PROXIES`` it is the one address that the gateway puts into
    X-Forwarded-For. A peer that is no named proxy speaks for itself, but only where proxies are named at
    all: otherwise the peer may be a gateway that nobody told us about.
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
