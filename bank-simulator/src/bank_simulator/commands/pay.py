"""A sale or an authorisation: the card network asks the cardholder and the cardholder's bank."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.domain.idempotency import Processed, store, stored_answer
from bank_simulator.domain.issuing import find_card, refusal
from bank_simulator.domain.paying import ask_cardholder, decline
from bank_simulator.models import NetworkRequest
from bank_simulator.values.authentication import ThreeDSecure
from bank_simulator.values.card_data import CardData
from bank_simulator.values.keyed_hash import fingerprint
from bank_simulator.values.vocabulary import DeclineCode, RequestKind, Status


@dataclass(frozen=True, slots=True)
class Pay:
    """A payment as the merchant's side sends it; ``kind`` is sale or authorization."""

    kind: RequestKind
    request_id: str
    amount_minor: int
    currency: str
    card: CardData
    merchant_id: str
    order_id: str
    three_ds: ThreeDSecure | None = None

    def fingerprint(self, card_key: str) -> str:
        """Return what tells this request from another one; the CVV has no part in it."""
        parameters: dict[str, Any] = {
            "kind": self.kind,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "number": self.card.number,
            "expiry": [self.card.exp_year, self.card.exp_month],
            "merchant_id": self.merchant_id,
            "order_id": self.order_id,
        }
        if self.three_ds is not None:
            parameters["three_ds"] = [self.three_ds.mode, self.three_ds.return_url]
        return fingerprint(card_key, parameters)


def pay(command: Pay, settings: BankSettings) -> Processed:
    """Take or hold the money, once per request id, unless cardholder or bank have still to say something.

    Raises:
        RequestIdReused: the id came before with other parameters.
    """
    inputs = UnitInputs.draw(settings)
    its_fingerprint = command.fingerprint(settings.card_key)

    def work(session: Session) -> Processed:
        request = NetworkRequest(
            request_id=command.request_id,
            kind=command.kind,
            fingerprint=its_fingerprint,
            amount_minor=command.amount_minor,
            currency=command.currency,
            merchant_id=command.merchant_id,
            order_id=command.order_id,
            processed_at=inputs.now,
        )
        card = find_card(session, command.card)
        request.card_id = card.id if card is not None else None
        refused = refusal(card, command.card, inputs.now, settings.card_key)
        if card is None or refused is not None:
            decline(request, refused or DeclineCode.INVALID_NUMBER)
        else:
            ask_cardholder(session, request, card, command.three_ds, inputs)
        store(session, request)
        if card is None or request.status is not Status.APPROVED:
            return Processed(request)
        return Processed(request, card.behaviour)

    try:
        return in_transaction_with_accounts(work)
    except IntegrityError as duplicate:
        return Processed(stored_answer(command.request_id, duplicate, its_fingerprint))
