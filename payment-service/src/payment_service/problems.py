"""What our domain errors mean to an HTTP client; what a refused movement means stands in ``refusals``."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Response
from service_kit.web import strict_json
from service_kit.web.problems import Problem, ProblemTable

from payment_service import errors
from payment_service.domain.payments.transitions import MovementKind
from payment_service.refusals import refusal_of

log = structlog.get_logger(__name__)
REALM = 'realm="caisse"'
NOT_PAID = {"is_paid": False}
RETRY_AFTER_S = "2"
RETRY_SOON = {"Retry-After": RETRY_AFTER_S}


class TokenProblem(Problem):
    """An error of the token endpoint, in the words of RFC 6749 (5.2), which OAuth libraries read."""

    def response(self) -> Response:
        body = strict_json.dumps({"error": self.code, "error_description": self.detail})
        response = Response(body, self.status, content_type="application/json")
        response.headers.update({"Cache-Control": "no-store", "Pragma": "no-cache", **self.headers})
        return response


ToProblem = Callable[[Any], Problem]
# The arguments of Problem beside status, code and detail.
More = Callable[[Any], Mapping[str, Any]]


def _problem(status: HTTPStatus, code: str, more: More) -> ToProblem:
    return lambda error: Problem(status, code, str(error), **more(error))


def _charge_refused(error: errors.ChargeRefused) -> Problem:
    refusal = refusal_of(MovementKind.CHARGE, error.state)
    return Problem(refusal.status, refusal.code, refusal.lab, members=NOT_PAID, headers=RETRY_SOON)


def _not_found(error: errors.NotFound) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, f"{error.what.replace(' ', '_')}_not_found", str(error))


# Clients are told nothing about keys; operators read it in the log.
def _signing_unavailable(error: Exception) -> Problem:
    log.error("signing_unavailable", reason=str(error))
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "signing_unavailable", "No token can be signed now.")


def _vault_unavailable(error: Exception) -> Problem:
    log.error("vault_unavailable", reason=str(error))
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "vault_unavailable", "The stored card cannot be read now.")


STATUSES: Mapping[type[errors.PaymentError], tuple[HTTPStatus, str]] = {
    errors.CursorUnknown: (HTTPStatus.BAD_REQUEST, "cursor_unknown"),
    errors.IdempotencyKeyInvalid: (HTTPStatus.BAD_REQUEST, "idempotency_key_invalid"),
    errors.IdempotencyKeyMissing: (HTTPStatus.BAD_REQUEST, "idempotency_key_missing"),
    errors.WebhookUnreadable: (HTTPStatus.BAD_REQUEST, "webhook_unreadable"),
    errors.AccessTokenInvalid: (HTTPStatus.UNAUTHORIZED, "access_token_invalid"),
    errors.AccessTokenMissing: (HTTPStatus.UNAUTHORIZED, "access_token_missing"),
    errors.WebhookNotVerified: (HTTPStatus.UNAUTHORIZED, "webhook_not_verified"),
    errors.ScopeMissing: (HTTPStatus.FORBIDDEN, "scope_missing"),
    errors.NothingOfThisId: (HTTPStatus.NOT_FOUND, "not_found"),
    errors.PaymentNotFound: (HTTPStatus.NOT_FOUND, "payment_not_found"),
    errors.KeyInProgress: (HTTPStatus.CONFLICT, "idempotency_key_in_progress"),
    errors.MovementOpen: (HTTPStatus.CONFLICT, "movement_open"),
    errors.PaymentBusy: (HTTPStatus.CONFLICT, "payment_busy"),
    errors.PaymentClosed: (HTTPStatus.CONFLICT, "payment_closed"),
    errors.ReviewCardMissing: (HTTPStatus.CONFLICT, "review_card_missing"),
    errors.WrongPaymentState: (HTTPStatus.CONFLICT, "wrong_payment_state"),
    errors.AmountTooLarge: (HTTPStatus.UNPROCESSABLE_ENTITY, "amount_too_large"),
    errors.KeyReused: (HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
    errors.PaymentMethodUnusable: (HTTPStatus.UNPROCESSABLE_ENTITY, "payment_method_unusable"),
    errors.PaymentMethodOfAnotherCustomer: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "payment_method_of_another_customer",
    ),
    errors.CancellationNotConfirmed: (HTTPStatus.BAD_GATEWAY, "cancellation_not_confirmed"),
    errors.MerchantMissing: (HTTPStatus.SERVICE_UNAVAILABLE, "not_seeded"),
    errors.ProcessingUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "processing_unavailable"),
}
MORE: Mapping[type[errors.PaymentError], More] = {
    errors.CursorUnknown: lambda error: {"errors": {error.field: [str(error)]}},
    errors.PaymentMethodUnusable: lambda error: {"errors": {"payment_method": [str(error)]}},
    errors.PaymentMethodOfAnotherCustomer: lambda error: {"errors": {"payment_method": [str(error)]}},
    errors.AmountTooLarge: lambda error: {"members": {"largest_amount": error.largest_minor}},
    errors.WrongPaymentState: lambda error: {"members": {"payment_status": error.status}},
    errors.PaymentClosed: lambda error: {"members": {**NOT_PAID, "payment_status": error.status}},
    errors.PaymentBusy: lambda error: {"members": NOT_PAID, "headers": _retry_after(error.retry_after_s)},
    errors.ProcessingUnavailable: lambda _: {"members": NOT_PAID, "headers": RETRY_SOON},
    errors.CancellationNotConfirmed: lambda _: {"headers": RETRY_SOON},
    errors.MerchantMissing: lambda _: {"headers": RETRY_SOON},
    errors.MovementOpen: lambda _: {"headers": RETRY_SOON},
    errors.KeyInProgress: lambda error: {"headers": _retry_after(error.retry_after_s)},
    # Without an error code, because nothing was tried (RFC 6750, 3.1).
    errors.AccessTokenMissing: lambda _: _challenge(f"Bearer {REALM}"),
    errors.AccessTokenInvalid: lambda error: _challenge(
        f'Bearer {REALM}, error="invalid_token", error_description="{error}"'
    ),
    errors.ScopeMissing: lambda error: _challenge(
        f'Bearer {REALM}, error="insufficient_scope", scope="{error.scope}"'
    ),
    errors.WebhookNotVerified: lambda _: _challenge(f"Webhook-Signature {REALM}"),
}


def _retry_after(pause_s: int) -> Mapping[str, str]:
    return {"Retry-After": str(pause_s)}


def _challenge(text: str) -> Mapping[str, Any]:
    return {"headers": {"WWW-Authenticate": text}}


PROBLEMS: ProblemTable = {
    **{
        error: _problem(status, code, MORE.get(error, lambda _: {}))
        for error, (status, code) in STATUSES.items()
    },
    errors.ChargeRefused: _charge_refused,
    errors.NotFound: _not_found,
    errors.SealedCardUnreadable: _vault_unavailable,
    errors.SigningKeyMissing: _signing_unavailable,
    errors.SigningKeyUnreadable: _signing_unavailable,
    errors.TokenRefused: lambda error: TokenProblem(HTTPStatus.BAD_REQUEST, error.code, str(error)),
    errors.TooManyFailures: lambda error: TokenProblem(
        HTTPStatus.TOO_MANY_REQUESTS, error.code, str(error), headers={"Retry-After": str(error.wait_s)}
    ),
    errors.ClientRefused: lambda error: TokenProblem(
        HTTPStatus.UNAUTHORIZED, error.code, str(error), **_challenge(f"Basic {REALM}")
    ),
}
