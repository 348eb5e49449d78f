"""What our domain errors mean to an HTTP client: the only place that knows status codes."""

from http import HTTPStatus

from service_kit.problems import Problem, ProblemTable

from payment_service.errors import (
    ChargeNotSent,
    MerchantMissing,
    PaymentBusy,
    PaymentClosed,
    PaymentNotFound,
    ProcessingUnavailable,
)

RETRY_AFTER_S = "2"

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
    ProcessingUnavailable: lambda error: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "processing_unavailable",
        str(error),
        members={"is_paid": False},
        headers={"Retry-After": RETRY_AFTER_S},
    ),
    MerchantMissing: lambda error: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "not_seeded", str(error), headers={"Retry-After": RETRY_AFTER_S}
    ),
}
