"""The adapter for the bank-simulator's events (Standard Webhooks), and for any bank with the same format."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from service_kit.web import strict_json
from standardwebhooks import Webhook, WebhookVerificationError

from payment_service.errors import WebhookNotVerified, WebhookUnreadable
from payment_service.providers.port import DisputeNews, MovementNews, News, Outcome, UnknownNews
from payment_service.values.money import Money
from payment_service.values.statuses import DisputeStatus

_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_EVENT_ID = re.compile(r"[\x21-\x7e]{1,128}")
# The library stumbles over entries of another form, which the standard allows beside ours.
_USABLE_SIGNATURE = re.compile(r"v1,[A-Za-z0-9+/]{43}=")
_OUTCOMES: Mapping[str, Outcome] = {
    "approved": Outcome.APPROVED,
    "declined": Outcome.DECLINED,
    "abandoned": Outcome.ABANDONED,
}


class BankSimulatorWebhooks:
    """Events signed with one of ``secrets`` (``whsec_…``): two are valid while one replaces the other."""

    provider = "bank-simulator"

    def __init__(self, secrets: Sequence[str]) -> None:
        self._signers = [Webhook(secret) for secret in secrets]

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return the event's id if one of our secrets signed id, time and body within the last 5 minutes.

        The signatures are compared in constant time. Raises ``WebhookNotVerified``.
        """
        given = {name: headers.get(name, "") for name in (_ID, _TIMESTAMP, _SIGNATURE)}
        usable = [entry for entry in given[_SIGNATURE].split(" ") if _USABLE_SIGNATURE.fullmatch(entry)]
        given[_SIGNATURE] = " ".join(usable)
        if not any(_has_signed(signer, given, body) for signer in self._signers):
            raise WebhookNotVerified
        if not _EVENT_ID.fullmatch(given[_ID]):
            raise WebhookUnreadable("The webhook-id must be 1 to 128 printable ASCII characters.")
        return given[_ID]

    def read(self, body: str) -> News:
        """Translate a verified body. Raises ``WebhookUnreadable``."""
        document = _members(strict_json.loads(body.encode()), "The body")
        kind = document.get("type")
        if not isinstance(kind, str):
            raise WebhookUnreadable("type is no text.")
        read = _READERS.get(kind)
        return UnknownNews(kind[:100]) if read is None else read(_members(document.get("data"), "data"))


def _has_signed(signer: Webhook, headers: dict[str, str], body: bytes) -> bool:
    try:
        signer.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: the body is not UTF-8
        return False
    return True


def _movement(data: Mapping[str, Any]) -> MovementNews:
    outcome = _OUTCOMES.get(_text(data, "status"), Outcome.PENDING)
    return MovementNews(_text(data, "request_id"), outcome, _amount(data))


def _dispute(status: DisputeStatus) -> Callable[[Mapping[str, Any]], DisputeNews]:
    def read(data: Mapping[str, Any]) -> DisputeNews:
        amount, reason = _amount(data), data.get("reason")
        if amount.amount_minor <= 0:
            raise WebhookUnreadable("amount_minor is not more than 0.")
        return DisputeNews(
            _text(data, "dispute_id"),
            _text(data, "original_request_id"),
            status,
            amount,
            reason[:100] if isinstance(reason, str) and reason.isprintable() else None,
        )

    return read


_READERS: Mapping[str, Callable[[Mapping[str, Any]], News]] = {
    "payment.updated": _movement,
    "three_ds.finished": _movement,
    "refund.updated": _movement,
    "dispute.opened": _dispute(DisputeStatus.OPENED),
    "dispute.won": _dispute(DisputeStatus.WON),
    "dispute.lost": _dispute(DisputeStatus.LOST),
}


def _members(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise WebhookUnreadable(f"{name} is no JSON object.")
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    """Return an id or a word that fits our columns: ASCII, so that no collation takes it for another."""
    value = data.get(name)
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]{1,64}", value):
        raise WebhookUnreadable(f"{name} is missing, or no short text.")
    return value


def _amount(data: Mapping[str, Any]) -> Money:
    amount_minor, currency = data.get("amount_minor"), data.get("currency")
    if not isinstance(amount_minor, int) or isinstance(amount_minor, bool) or not 0 <= amount_minor < 2**63:
        raise WebhookUnreadable("amount_minor is missing, or no amount.")
    if not isinstance(currency, str) or not re.fullmatch(r"[A-Z]{3}", currency):
        raise WebhookUnreadable("currency is missing, or no currency.")
    return Money(amount_minor, currency)
