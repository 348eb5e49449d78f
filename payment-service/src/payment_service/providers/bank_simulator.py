"""The adapter for the bank-simulator: our requests in its format, its answers in our vocabulary."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from service_kit.web.http_client import Answer, HttpClient, OutcomeUnknown

from payment_service.providers.port import (
    Authentication,
    Capabilities,
    Outcome,
    ProviderCapture,
    ProviderCharge,
    ProviderRefund,
    ProviderResult,
    ProviderVoid,
    ThreeDSecure,
)
from payment_service.values.money import Money

_OUTCOMES: Mapping[str, Outcome] = {
    "approved": Outcome.APPROVED,
    "declined": Outcome.DECLINED,
    "abandoned": Outcome.ABANDONED,
    "pending": Outcome.PENDING,
    "requires_action": Outcome.REQUIRES_ACTION,
}
# A merchant names its orders as it likes; the bank refuses a payment whose order it cannot spell.
_NOT_IN_ITS_IDS = re.compile(r"[^A-Za-z0-9._:-]")


class BankSimulator:
    name = "bank-simulator"
    capabilities = Capabilities(can_abandon=True)

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def sale(self, request: ProviderCharge) -> ProviderResult:
        return self._send("POST", "/network/sales", _to_charge(request))

    def authorise(self, request: ProviderCharge) -> ProviderResult:
        return self._send("POST", "/network/authorizations", _to_charge(request))

    def capture(self, request: ProviderCapture) -> ProviderResult:
        body = {
            "request_id": request.capture_id,
            "original_request_id": request.original_id,
            "amount_minor": request.amount.amount_minor,
            "final": request.is_final,
        }
        return self._send("POST", "/network/captures", body)

    def void(self, request: ProviderVoid) -> ProviderResult:
        """Release a hold, or undo a sale of the last 24 hours. Raises ``NotSent``."""
        body = {"request_id": request.void_id, "original_request_id": request.original_id}
        return self._send("POST", "/network/voids", body)

    def refund(self, request: ProviderRefund) -> ProviderResult:
        body = {
            "request_id": request.refund_id,
            "original_request_id": request.original_id,
            "amount_minor": request.amount.amount_minor,
        }
        return self._send("POST", "/network/refunds", body)

    def fetch_status(self, movement_id: str) -> ProviderResult:
        return self._send("GET", f"/network/requests/{movement_id}")

    def abandon(self, movement_id: str) -> ProviderResult:
        return self._send("POST", f"/network/requests/{movement_id}/abandon")

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> ProviderResult:
        try:
            return _from_answer(self._http.send(method, path, body))
        except OutcomeUnknown as exc:
            return ProviderResult(Outcome.PENDING, detail=str(exc))


def _to_charge(request: ProviderCharge) -> dict[str, Any]:
    body: dict[str, Any] = {
        "request_id": request.attempt_id,
        "amount_minor": request.amount.amount_minor,
        "currency": request.amount.currency,
        "card": {
            "number": request.card.pan,
            "exp_month": request.card.exp_month,
            "exp_year": request.card.exp_year,
            "cvv": request.card.cvv,
        },
        "merchant_id": request.merchant_id,
        "order_id": _NOT_IN_ITS_IDS.sub("-", request.order_id),
    }
    if request.three_ds is not ThreeDSecure.NONE:
        body["three_ds"] = {
            "mode": request.three_ds.value,
            "return_url": request.return_url,
            "merchant_name": request.merchant_name or request.merchant_id,
        }
    return body


def _from_answer(answer: Answer) -> ProviderResult:
    """Translate an answer; whatever we do not understand may have moved money, and is PENDING."""
    if answer.status == HTTPStatus.NOT_FOUND:
        return ProviderResult(Outcome.NOT_FOUND)
    body = answer.json() if answer.status == HTTPStatus.OK else None
    members: Mapping[str, Any] = body if isinstance(body, dict) else {}
    outcome = _OUTCOMES.get(str(members.get("status")))
    if outcome is None:
        return ProviderResult(Outcome.PENDING, detail=f"HTTP {answer.status}")
    return ProviderResult(
        outcome,
        decline_code=_code(members.get("decline_code")),
        authorization_code=_code(members.get("authorization_code")),
        amount=_amount(members),
        redirect_url=_url(members.get("redirect_url")),
        authentication=_authentication(members.get("three_ds")),
    )


def _amount(members: Mapping[str, Any]) -> Money | None:
    amount_minor, currency = members.get("amount_minor"), members.get("currency")
    if isinstance(amount_minor, int) and isinstance(currency, str):
        return Money(amount_minor, currency)
    return None


def _authentication(value: Any) -> Authentication | None:
    """Return what 3-D Secure came to; None while the cardholder has still to act."""
    members: Mapping[str, Any] = value if isinstance(value, dict) else {}
    status = _code(members.get("status"), longest=24)
    if status is None:
        return None
    return Authentication(
        status, _code(members.get("eci"), longest=2), _code(members.get("liability"), longest=16)
    )


def _url(value: Any) -> str | None:
    is_usable = isinstance(value, str) and value.startswith(("http://", "https://")) and value.isprintable()
    return value if is_usable and len(value) <= 2000 else None


def _code(value: Any, longest: int = 40) -> str | None:
    """Return a code that fits its column; one that does not must not stop a result from being settled."""
    return value if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable() else None
