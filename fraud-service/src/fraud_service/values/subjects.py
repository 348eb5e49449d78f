"""The values under which an attempt is looked up in the lists and counted."""

import ipaddress
import re

from fraud_service.errors import InvalidListValue
from fraud_service.values.attempt import Attempt
from fraud_service.values.vocabulary import Subject

_FORMS = {
    Subject.CARD_FINGERPRINT: (re.compile(r"[0-9a-f]{64}"), "64 hexadecimal digits in lower case"),
    Subject.BIN: (re.compile(r"[0-9]{6}"), "the first 6 digits of the card number"),
    Subject.USER: (re.compile(r"[A-Za-z0-9_.:-]{1,64}/[^\x00-\x1f\x7f-\x9f]{1,64}"), "merchant_id/user_id"),
}


def subject_values(attempt: Attempt) -> dict[Subject, str]:
    """Return what the lists are searched for; without a trusted address nothing is searched under ``ip``."""
    values = {
        Subject.CARD_FINGERPRINT: attempt.card.fingerprint,
        Subject.BIN: attempt.card.bin,
        # User 1 of one merchant is not user 1 of another.
        Subject.USER: f"{attempt.merchant_id}/{attempt.user_id}",
    }
    if attempt.client_ip is not None:
        values[Subject.IP] = ip_subject(attempt.client_ip)
    return values


def ip_subject(address: str) -> str:
    """Return what an address counts as: IPv4 itself, IPv6 its /64, which is what one customer is given.

    Raises:
        ValueError: it is no IP address.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(ip), 64), strict=False))
    return str(ip)


def list_value(subject: Subject, text: str) -> str:
    """Return ``text`` as the lists hold it.

    Raises:
        InvalidListValue: it is nothing that an attempt could ever match.
    """
    if subject is Subject.IP:
        try:
            return ip_subject(text.removesuffix("/64"))
        except ValueError as exc:
            raise InvalidListValue("ip must be an IPv4 or IPv6 address") from exc
    form, description = _FORMS[subject]
    if not form.fullmatch(text):
        raise InvalidListValue(f"{subject} must be {description}")
    return text
