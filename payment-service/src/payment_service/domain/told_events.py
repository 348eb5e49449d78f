"""What our other services are told of events.

Events are told as they were sealed. What must not stand in them, whom a payer's e-mail goes to above all, is
read from the payment when they are told.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from service_kit.web import strict_json
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.followers import EventRow
from payment_service.domain.merchant_directory import MerchantDirectory
from payment_service.domain.settlement.follow_ups import successful_attempt
from payment_service.models.payment import Payment
from payment_service.values.statuses import Surface

# The events that fraud-service hears of, and what each means there.
OUTCOME_KINDS: Mapping[str, str] = {
    "payment.authorized": "authorized",
    "payment.failed": "declined",
    "payment.captured": "captured",
    "payment.completed": "captured",
    "refund.succeeded": "refunded",
    "dispute.opened": "disputed",
    "dispute.won": "dispute_won",
    "dispute.lost": "charged_back",
}
# Those of which a payer is told, and how notification-service calls the e-mail.
PAYER_NEWS: Mapping[str, str] = {
    "payment.completed": "payment_receipt",
    "payment.reversed": "payment_reversed",
}
RECEIPT_LANGUAGES = frozenset({"fr", "en"})


def sent_events(
    session: Session, merchants: MerchantDirectory, events: Sequence[EventRow]
) -> Sequence[Mapping[str, Any]]:
    """Return the events for notification-service, those for payers with the payment as it stands."""
    payments = _payments_of(session, (event for event in events if event.type in PAYER_NEWS))
    sent = []
    for event in events:
        body, merchant = strict_json.loads(event.body.encode()), merchants.get(session, event.merchant_id)
        item = {"merchant_id": merchant.public_id, "event": body}
        if (payment := payments.get(event.payment_id)) and event.type in PAYER_NEWS:
            item["payment"] = _told_payment(session, merchants, payment, body)
        sent.append(item)
    return sent


def outcomes(
    session: Session, merchants: MerchantDirectory, events: Sequence[EventRow]
) -> Sequence[Mapping[str, Any]]:
    """Return what the events say to fraud-service of the money; many say nothing."""
    return [
        _outcome(strict_json.loads(event.body.encode()), merchants.get(session, event.merchant_id).public_id)
        for event in events
        if event.type in OUTCOME_KINDS
    ]


def _payments_of(session: Session, events: Iterable[EventRow]) -> Mapping[int, Payment]:
    """Return the payments that have somebody to tell: an address was given, or the lab makes one up."""
    ids = {event.payment_id for event in events}
    if not ids:
        return {}
    found = session.scalars(select(Payment).where(Payment.id.in_(ids)))
    return {
        payment.id: payment
        for payment in found
        if payment.receipt_email is not None or payment.surface == Surface.LAB
    }


def _told_payment(
    session: Session, merchants: MerchantDirectory, payment: Payment, event: Mapping[str, Any]
) -> Mapping[str, Any]:
    merchant, said = merchants.get(session, payment.merchant_id), event["data"]
    # A capture's event and a void's do not name the card: it is that of the attempt whose money they moved.
    card = said if "card_last4" in said else vars(successful_attempt(session, payment))
    return {
        "type": PAYER_NEWS[event["type"]],
        "locale": _language(payment.receipt_locale, merchant.locale),
        "recipient": {"email": payment.receipt_email, "user_id": payment.user_id.strip() or None},
        "payment_id": str(payment.id) if payment.surface == Surface.LAB else payment.public_id,
        "order_id": payment.order_id.strip() or payment.public_id,
        # Of a hold perhaps only a part was captured.
        "amount_minor": said.get("captured_minor", said["amount_minor"]),
        "currency": said["currency"],
        "merchant": {
            "name": merchant.name,
            "legal_name": merchant.legal_name or None,
            "address": merchant.address.splitlines(),
            "tax_number": merchant.tax_number or None,
        },
        "line_items": strict_json.loads(payment.details.encode()).get("line_items", [])
        if payment.details
        else [],
        "card": {"last4": card["card_last4"]},
        "authorization_code": card.get("authorization_code"),
    }


def _language(locale: str, otherwise: str) -> str:
    """Return the payer's language if e-mails are written in it, otherwise the merchant's."""
    language = locale.partition("-")[0]
    return language if language in RECEIPT_LANGUAGES else otherwise


def _outcome(event: Mapping[str, Any], merchant_id: str) -> Mapping[str, Any]:
    data, kind = event["data"], OUTCOME_KINDS[event["type"]]
    return {
        "event_id": event["id"],
        "kind": kind,
        "merchant_id": merchant_id,
        "payment_id": event["payment"],
        "attempt_id": data.get("attempt"),
        "card_fingerprint": data.get("card_fingerprint"),
        "amount_minor": _moved_minor(kind, data),
        "currency": data.get("currency"),
        "decline_code": data.get("decline_code"),
        "occurred_at": event["at"],
    }


def _moved_minor(kind: str, data: Mapping[str, Any]) -> int | None:
    """Return what was captured, refunded or disputed; none of it where money was held or refused."""
    if kind in {"authorized", "declined"}:
        return None
    # The release of the rest of a hold completes a payment, but captures nothing.
    return 0 if "void" in data else data.get("amount_minor")
