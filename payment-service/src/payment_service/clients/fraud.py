"""The client of fraud-service: may this attempt go on?"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from service_kit.web.http_client import CallFailed, HttpClient, OutcomeUnknown

from payment_service.values.money import Money
from payment_service.values.statuses import Assessment, FraudDecision

# Reasons are stored with the attempt and in its events: texts that do not fit would keep a charge from
# being settled.
MAX_ANSWER_BYTES = 8 * 1024


class FraudSilent(Exception):
    """fraud-service gave no usable answer in time; what that means is a policy, not an accident."""


@dataclass(frozen=True, slots=True)
class AssessmentRequest:
    """What fraud-service assesses; ``client_ip`` is None unless it can be trusted.

    ``has_cvv``: the payer gave the card's code, rightly or not.
    """

    attempt_id: str
    payment_id: str
    merchant_id: str
    amount: Money
    card_fingerprint: str
    card_bin: str
    card_last4: str
    user_id: str
    order_id: str
    client_ip: str | None
    has_cvv: bool


class FraudClient:
    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def assess(self, request: AssessmentRequest) -> Assessment:
        """Return the decision about an attempt; asking again about the same attempt is harmless.

        Raises:
            FraudSilent: no answer within the time limit, or none that can be read.
        """
        try:
            answer = self._http.post("/internal/assessments", _to_body(request))
            if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
                raise OutcomeUnknown(f"fraud-service: HTTP {answer.status}")
            if len(answer.body) > MAX_ANSWER_BYTES:
                raise OutcomeUnknown("fraud-service: the answer is too long")
            return _from_body(answer.json())
        except CallFailed as exc:
            raise FraudSilent(str(exc)) from exc


def _to_body(request: AssessmentRequest) -> dict[str, Any]:
    return {
        "attempt_id": request.attempt_id,
        "payment_id": request.payment_id,
        "merchant_id": request.merchant_id,
        "amount_minor": request.amount.amount_minor,
        "currency": request.amount.currency,
        "card": {
            "fingerprint": request.card_fingerprint,
            "bin": request.card_bin,
            "last4": request.card_last4,
        },
        "user_id": request.user_id,
        "order_id": request.order_id,
        "client_ip": request.client_ip,
        "has_cvv": request.has_cvv,
    }


def _from_body(body: Any) -> Assessment:
    if not isinstance(body, dict):
        raise OutcomeUnknown("fraud-service: the answer is no object")
    try:
        decision = FraudDecision(str(body.get("decision")))
    except ValueError as exc:
        raise OutcomeUnknown("fraud-service: unknown decision") from exc
    reasons = body.get("reasons")
    items = reasons if isinstance(reasons, list) else []
    return Assessment(decision, [item for item in items if isinstance(item, dict)])
