"""``/v1/payment-methods``: cards that a merchant stores for later payments."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Response
from service_kit.web.api import Blueprint

from payment_service.commands.stored_cards import (
    DetachPaymentMethod,
    StorePaymentMethod,
    detach_payment_method,
    store_payment_method,
)
from payment_service.controllers.access import current_merchant_id, require_scope
from payment_service.controllers.idempotency import idempotent, idempotent_request, respond
from payment_service.controllers.request import current_dependencies
from payment_service.controllers.v1.answers import stored
from payment_service.controllers.v1.path_ids import PAYMENT_METHOD_ID
from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.models.card import PaymentMethod
from payment_service.queries.pagination import Page
from payment_service.queries.payment_methods import get_payment_method, list_payment_methods
from payment_service.schemas.v1.pagination import list_schema
from payment_service.schemas.v1.payment_method import (
    PaymentMethodQuerySchema,
    PaymentMethodSchema,
    StorePaymentMethodSchema,
)

payment_methods = Blueprint(
    "payment_methods",
    "payment_methods",
    url_prefix="/v1/payment-methods",
    description="Stored cards: their numbers are encrypted, and shown to nobody",
)


@payment_methods.post("")
@require_scope("payment_methods:write")
@idempotent
@payment_methods.arguments(StorePaymentMethodSchema)
@payment_methods.response(201, PaymentMethodSchema)
def store(body: dict[str, Any]) -> Response:
    """Store a card. The bank is not asked about it; a `cvc` is checked for its form and forgotten."""
    command, present = StorePaymentMethod(current_merchant_id(), **body), _present(HTTPStatus.CREATED)
    return respond(store_payment_method(command, idempotent_request(body), present, current_dependencies()))


@payment_methods.get("")
@require_scope("payments:read")
@payment_methods.arguments(PaymentMethodQuerySchema, location="query")
@payment_methods.response(200, list_schema(PaymentMethodSchema))
def list_attached(query: dict[str, Any]) -> Page[PaymentMethod]:
    """List the cards that can pay, newest first; what was detached is left out."""
    return list_payment_methods(current_merchant_id(), query["customer"], query["page"])


@payment_methods.get("/<payment_method_id>", parameters=PAYMENT_METHOD_ID)
@require_scope("payments:read")
@payment_methods.response(200, PaymentMethodSchema)
@payment_methods.problem(404, "No such payment method")
def show(payment_method_id: str) -> PaymentMethod:
    """Show a stored card, also one that was detached."""
    return get_payment_method(current_merchant_id(), payment_method_id)


@payment_methods.post("/<payment_method_id>/detach", parameters=PAYMENT_METHOD_ID)
@require_scope("payment_methods:write")
@idempotent
@payment_methods.response(200, PaymentMethodSchema)
@payment_methods.problem(404, "No such payment method")
def detach(payment_method_id: str) -> Response:
    """Forget a card: it can no longer pay, and its number is deleted. There is no way back."""
    command, present = DetachPaymentMethod(current_merchant_id(), payment_method_id), _present(HTTPStatus.OK)
    return respond(detach_payment_method(command, idempotent_request(), present, current_dependencies()))


def _present(status: HTTPStatus) -> Callable[[PaymentMethod], StoredAnswer]:
    """Return what answers with a payment method, from its row alone."""
    return lambda method: stored(status, PaymentMethodSchema().dump(method))
