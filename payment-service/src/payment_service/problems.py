"""What our domain errors mean to an HTTP client: the only place that knows status codes."""

from http import HTTPStatus

import structlog
from flask import Response
from service_kit.web import strict_json
from service_kit.web.problems import Problem, ProblemTable

from payment_service.errors import (
    AccessTokenInvalid,
    AccessTokenMissing,
    AmountTooLarge,
    CancellationNotConfirmed,
    ChargeAbandoned,
    ChargeNotSent,
    ClientRefused,
    CursorUnknown,
    DisputeNotFound,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    KeyInProgress,
    KeyReused,
    MerchantMissing,
    MerchantNotFound,
    MovementOpen,
    NothingOfThisId,
    PaymentBusy,
    PaymentClosed,
    PaymentMethodNotFound,
    PaymentMethodUnusable,
    PaymentNotFound,
    ProcessingUnavailable,
    RefundNotFound,
    ReviewCardMissing,
    ScopeMissing,
    SealedCardUnreadable,
    SigningKeyMissing,
    SigningKeyUnreadable,
    TokenRefused,
    WebhookNotVerified,
    WebhookUnreadable,
    WrongPaymentState,
)

RETRY_AFTER_S = "2"
log = structlog.get_logger(__name__)
REALM = 'realm="caisse"'


class TokenProblem(Problem):
    """An error of the token endpoint, in the words of RFC 6749 (5.2), which OAuth libraries read."""

    def response(self) -> Response:
        """Return the answer that carries it."""
        body = strict_json.dumps({"error": self.code, "error_description": self.detail})
        response = Response(body, self.status, content_type="application/json")
        response.headers.update({"Cache-Control": "no-store", "Pragma": "no-cache", **self.headers})
        return response


def _signing_unavailable(error: Exception) -> Problem:
    """Say nothing about keys to clients; operators read it in the log."""
    log.error("signing_unavailable", reason=str(error))
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "signing_unavailable", "No token can be signed now.")


def _vault_unavailable(error: Exception) -> Problem:
    """Say nothing about keys to clients; operators read it in the log."""
    log.error("vault_unavailable", reason=str(error))
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "vault_unavailable", "The stored card cannot be read now.")


PROBLEMS: ProblemTable = {
    PaymentNotFound: lambda error: Problem(HTTPStatus.NOT_FOUND, "payment_not_found", str(error)),
    PaymentBusy: lambda error: Problem(
        HTTPStatus.CONFLICT,
        "payment_busy",
        str(error),
        members={"is_paid": False},
        headers={"Retry-After": str(error.retry_after_s)},
    ),
    PaymentClosed: lambda error: Problem(
        HTTPStatus.CONFLICT,
        "payment_closed",
        str(error),
        members={"is_paid": False, "payment_status": error.status},
    ),
    ChargeNotSent: lambda error: Problem(
        HTTPStatus.BAD_GATEWAY,
        "charge_not_sent",
        str(error),
        members={"is_paid": False},
        headers={"Retry-After": RETRY_AFTER_S},
    ),
    ChargeAbandoned: lambda error: Problem(
        HTTPStatus.BAD_GATEWAY,
        "charge_abandoned",
        str(error),
        members={"is_paid": False},
        headers={"Retry-After": RETRY_AFTER_S},
    ),
    ProcessingUnavailable: lambda error: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "processing_unavailable",
        str(error),
        members={"is_paid": False},
        headers={"Retry-After": RETRY_AFTER_S},
    ),
    WrongPaymentState: lambda error: Problem(
        HTTPStatus.CONFLICT, "wrong_payment_state", str(error), members={"payment_status": error.status}
    ),
    ReviewCardMissing: lambda error: Problem(HTTPStatus.CONFLICT, "review_card_missing", str(error)),
    MerchantMissing: lambda error: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "not_seeded", str(error), headers={"Retry-After": RETRY_AFTER_S}
    ),
    MerchantNotFound: lambda error: Problem(HTTPStatus.NOT_FOUND, "merchant_not_found", str(error)),
    CursorUnknown: lambda error: Problem(
        HTTPStatus.BAD_REQUEST, "cursor_unknown", str(error), errors={error.field: [str(error)]}
    ),
    NothingOfThisId: lambda error: Problem(HTTPStatus.NOT_FOUND, "not_found", str(error)),
    PaymentMethodNotFound: lambda error: Problem(
        HTTPStatus.NOT_FOUND, "payment_method_not_found", str(error)
    ),
    PaymentMethodUnusable: lambda error: Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "payment_method_unusable",
        str(error),
        errors={"payment_method": [str(error)]},
    ),
    SealedCardUnreadable: _vault_unavailable,
    SigningKeyMissing: _signing_unavailable,
    SigningKeyUnreadable: _signing_unavailable,
    TokenRefused: lambda error: TokenProblem(HTTPStatus.BAD_REQUEST, error.code, str(error)),
    ClientRefused: lambda error: TokenProblem(
        HTTPStatus.UNAUTHORIZED, error.code, str(error), headers={"WWW-Authenticate": f"Basic {REALM}"}
    ),
    AccessTokenMissing: lambda error: Problem(
        HTTPStatus.UNAUTHORIZED,
        "access_token_missing",
        str(error),
        # Without an error code, because nothing was tried (RFC 6750, 3.1).
        headers={"WWW-Authenticate": f"Bearer {REALM}"},
    ),
    AccessTokenInvalid: lambda error: Problem(
        HTTPStatus.UNAUTHORIZED,
        "access_token_invalid",
        str(error),
        headers={"WWW-Authenticate": f'Bearer {REALM}, error="invalid_token", error_description="{error}"'},
    ),
    ScopeMissing: lambda error: Problem(
        HTTPStatus.FORBIDDEN,
        "scope_missing",
        str(error),
        headers={"WWW-Authenticate": f'Bearer {REALM}, error="insufficient_scope", scope="{error.scope}"'},
    ),
    IdempotencyKeyMissing: lambda error: Problem(
        HTTPStatus.BAD_REQUEST, "idempotency_key_missing", str(error)
    ),
    IdempotencyKeyInvalid: lambda error: Problem(
        HTTPStatus.BAD_REQUEST, "idempotency_key_invalid", str(error)
    ),
    KeyInProgress: lambda error: Problem(
        HTTPStatus.CONFLICT,
        "idempotency_key_in_progress",
        str(error),
        headers={"Retry-After": str(error.retry_after_s)},
    ),
    KeyReused: lambda error: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused", str(error)),
    DisputeNotFound: lambda error: Problem(HTTPStatus.NOT_FOUND, "dispute_not_found", str(error)),
    WebhookNotVerified: lambda error: Problem(
        HTTPStatus.UNAUTHORIZED,
        "webhook_not_verified",
        str(error),
        headers={"WWW-Authenticate": f"Webhook-Signature {REALM}"},
    ),
    WebhookUnreadable: lambda error: Problem(HTTPStatus.BAD_REQUEST, "webhook_unreadable", str(error)),
    MovementOpen: lambda error: Problem(
        HTTPStatus.CONFLICT, "movement_open", str(error), headers={"Retry-After": RETRY_AFTER_S}
    ),
    AmountTooLarge: lambda error: Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "amount_too_large",
        str(error),
        members={"largest_amount": error.largest_minor},
    ),
    CancellationNotConfirmed: lambda error: Problem(
        HTTPStatus.BAD_GATEWAY,
        "cancellation_not_confirmed",
        str(error),
        headers={"Retry-After": RETRY_AFTER_S},
    ),
    RefundNotFound: lambda error: Problem(HTTPStatus.NOT_FOUND, "refund_not_found", str(error)),
}
