"""The adapter for the bank-simulator: our requests in its words, its answers in ours."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from service_kit.http_client import Answer, HttpClient, OutcomeUnknown

from payment_service.providers.port import (
    Capabilities,
    Outcome,
    ProviderResult,
    RefundRequest,
    SaleRequest,
    VoidRequest,
)

_OUTCOMES: Mapping[str, Outcome] = {
    "approved": Outcome.APPROVED,
    "declined": Outcome.DECLINED,
    "abandoned": Outcome.ABANDONED,
}


class BankSimulator:
    """Speaks to the bank-simulator over HTTP."""

    name = "bank-simulator"
    capabilities = Capabilities(can_abandon=True)

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def sale(self, request: SaleRequest) -> ProviderResult:
        """Authorise and capture in one go. Raises ``NotSent``."""
        return self._send("POST", "/network/sales", _to_sale(request))

    def void(self, request: VoidRequest) -> ProviderResult:
        """Undo a sale of the last 24 hours. Raises ``NotSent``."""
        body = {"request_id": request.attempt_id, "original_request_id": request.original_id}
        return self._send("POST", "/network/voids", body)

    def refund(self, request: RefundRequest) -> ProviderResult:
        """Give money of a sale back. Raises ``NotSent``."""
        body = {
            "request_id": request.attempt_id,
            "original_request_id": request.original_id,
            "amount_minor": request.amount.amount_minor,
        }
        return self._send("POST", "/network/refunds", body)

    def fetch_status(self, attempt_id: str) -> ProviderResult:
        """Ask what became of a movement. Raises ``NotSent``."""
        return self._send("GET", f"/network/requests/{attempt_id}")

    def abandon(self, attempt_id: str) -> ProviderResult:
        """Make sure that the id never executes. Raises ``NotSent``."""
        return self._send("POST", f"/network/requests/{attempt_id}/abandon")

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> ProviderResult:
        try:
            return _from_answer(self._http.send(method, path, body))
        except OutcomeUnknown as exc:
            return ProviderResult(Outcome.PENDING, detail=str(exc))


def _to_sale(request: SaleRequest) -> dict[str, Any]:
    return {
        "request_id": request.attempt_id,
        "amount_minor": request.amount.amount_minor,
        "currency": request.amount.currency,
        "card": {
            "number": request.card.number,
            "exp_month": request.card.exp_month,
            "exp_year": request.card.exp_year,
            "cvv": request.card.cvv,
        },
        "merchant_id": request.merchant_id,
        "order_id": request.order_id,
    }


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
    )


def _code(value: Any) -> str | None:
    """Return a code that fits its column; one that does not must not stop a result from being settled."""
    return value if isinstance(value, str) and 0 < len(value) <= 40 and value.isprintable() else None
