"""The lab surface: what Store Manager, its collections and students call; open, with integer ids."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Response, request
from service_kit.web.api import Blueprint, StrictParser
from service_kit.web.pages import Language, choose_language
from service_kit.web.problems import Problem
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from payment_service.commands.payments.create_payment import CreatePayment, create_payment
from payment_service.commands.payments.process_payment import process_payment
from payment_service.controllers import payment_page
from payment_service.controllers.request import current_dependencies, read_payment_id, trusted_client_ip
from payment_service.domain.payments.events import SHOP
from payment_service.domain.payments.references import LabPayment
from payment_service.domain.payments.results import PaymentResult, ProcessingResult, refused_because
from payment_service.domain.payments.transitions import MovementKind
from payment_service.errors import PaymentNotFound
from payment_service.pages.page_models import decline_sentence, no_such_payment_page
from payment_service.processing.charge import CardPayment
from payment_service.queries.payments import get_payment_of_merchant
from payment_service.refusals import REFUSALS, for_testers
from payment_service.schemas.lab import (
    CreatedSchema,
    CreatePaymentSchema,
    LabCardSchema,
    LabPaymentSchema,
    ProcessedSchema,
)
from payment_service.values.cards import CardData
from payment_service.values.statuses import MovementState, PaymentStatus

LOOK_AGAIN_AFTER_S = 10


class LabParser(StrictParser):
    """Answers 400 for a body that does not say it is JSON, as the lab's reference service does."""

    def _raw_load_json(self, req: Any) -> Any:
        try:
            return super()._raw_load_json(req)
        except UnsupportedMediaType as exc:
            raise BadRequest(exc.description) from exc


class LabBlueprint(Blueprint):
    ARGUMENTS_PARSER = LabParser()


lab_payments = LabBlueprint("lab", "lab", description="The lab surface: Store Manager's payments")


def _reference(payment_id: str) -> LabPayment:
    return LabPayment(read_payment_id(payment_id))


def answers_forms_with_the_page(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let the payment page answer what its form sends; everything else is JSON."""

    @wraps(view)
    def choose(payment_id: str) -> Any:
        if payment_page.is_form(request):
            return payment_page.submit(_reference, payment_id)
        return view(payment_id=payment_id)

    return choose


@lab_payments.post("/payments")
@lab_payments.arguments(CreatePaymentSchema)
@lab_payments.response(201, CreatedSchema)
@lab_payments.problem(503, "The database is away; nothing is stored")
def create(body: dict[str, Any]) -> dict[str, int]:
    """Create a payment for an order. Nothing is charged, and nothing is ever deduplicated."""
    payment = create_payment(CreatePayment(**body), current_dependencies())
    return {"payment_id": payment.id}


@lab_payments.get("/payments/<payment_id>")
@lab_payments.response(200, LabPaymentSchema)
@lab_payments.problem(404, "No such payment")
def show(payment_id: str) -> Any:
    """Show a payment, and how the last try to pay it ended if the bank or fraud-service said no."""
    try:
        return _shown(payment_id)
    except PaymentNotFound:
        if not payment_page.wants_page(request, by_default=False):
            raise
        return payment_page.respond(no_such_payment_page(payment_id))


def _shown(payment_id: str) -> dict[str, Any]:
    payment, attempt = get_payment_of_merchant(_reference(payment_id))
    if payment.status != PaymentStatus.FAILED or attempt is None:
        return {"payment": payment}
    language = choose_language(request.headers.get("Accept-Language", "en"))
    message = _decline_message(attempt.decline_code, refused_because(attempt), language)
    return {"payment": payment, "decline_code": attempt.decline_code, "message": message}


def _decline_message(decline_code: str | None, because: str | None, language: Language) -> str:
    """Return the payer's sentence, and to whoever tests what no payer is told."""
    sentence = decline_sentence(decline_code, language)
    return f"{sentence} {for_testers(because)}" if because else sentence


@lab_payments.get("/payments/process/<payment_id>")
@lab_payments.doc(
    responses=payment_page.described_pages(_200="The payment page", _404="No such payment, as a page")
)
def show_page(payment_id: str) -> Any:
    """Show the payment page: a form, or how the payment stands; the payment to whoever asks for JSON."""
    if payment_page.wants_page(request, by_default=True):
        return payment_page.show(_reference, payment_id)
    return LabPaymentSchema().dump(_shown(payment_id))


@lab_payments.post("/payments/process/<payment_id>")
@answers_forms_with_the_page
@lab_payments.doc(
    requestBody=payment_page.described_form(),
    responses=payment_page.described_pages(
        _200="Paid, now or before",
        _202="The outcome is not known yet",
        _400="The input is not valid; `errors` says which field, or the page beside it",
        _402="The bank declined; another card may follow",
        _404="No such payment",
        _409="Still processed by another request after waiting for it, or closed",
        _413="The body is too large",
        _502="Certainly not charged; payable again",
        _503="Not now; not charged; payable again",
    ),
)
@lab_payments.arguments(LabCardSchema)
@lab_payments.response(200, ProcessedSchema, description="Paid, now or before")
@lab_payments.alt_response(202, schema=ProcessedSchema, description="The outcome is not known yet")
@lab_payments.problem(402, "The bank declined; another card may follow")
@lab_payments.problem(404, "No such payment")
@lab_payments.problem(409, "Still processed by another request after waiting for it, or closed")
@lab_payments.problem(502, "Certainly not charged; payable again")
@lab_payments.problem(503, "Not now; not charged; payable again")
def process(card: CardData, payment_id: str) -> Any:
    """Pay with a card. Sent again, it charges nothing again; sent twice at once, both get one answer."""
    dependencies = current_dependencies()
    client_ip = trusted_client_ip(request, dependencies.config.trusted_proxies)
    paid_with = CardPayment(card=card, actor=SHOP, client_ip=client_ip)
    return _answer(process_payment(_reference(payment_id), paid_with, dependencies))


def _answer(processed: PaymentResult) -> Any:
    document: dict[str, Any] = {
        "order_id": int(processed.order_id),
        "payment_id": processed.payment_id,
        "is_paid": processed.result is ProcessingResult.PAID,
    }
    if processed.result is ProcessingResult.DECLINED:
        return _declined(processed, document)
    document["status"] = processed.status
    if processed.result is ProcessingResult.PAID:
        return document
    url = processed.next_action_url
    document["next_action"] = (
        {"type": "look_again", "retry_after_s": LOOK_AGAIN_AFTER_S}
        if url is None
        else {"type": "redirect_to_url", "redirect_to_url": {"url": url}}
    )
    return document, HTTPStatus.ACCEPTED, {"Retry-After": str(LOOK_AGAIN_AFTER_S)}


def _declined(processed: PaymentResult, document: dict[str, Any]) -> Response:
    language = choose_language(request.headers.get("Accept-Language", "en"))
    refusal = REFUSALS[MovementKind.CHARGE, MovementState.DECLINED]
    return Problem(
        refusal.status,
        refusal.code,
        _decline_message(processed.decline_code, processed.refused_because, language),
        members={**document, "decline_code": processed.decline_code, "payment_status": processed.status},
    ).response()
