"""A sale or an authorisation: the card network asks the cardholder's bank."""

from dataclasses import dataclass

from service_kit.clock import utc_now
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.authorization_code import new_authorization_code
from bank_simulator.domain.idempotency import Processed, stored_answer
from bank_simulator.domain.issuing import find_card, refusal
from bank_simulator.domain.ledger import Accounts, accounts_for, post
from bank_simulator.domain.postings import Movement, postings
from bank_simulator.models import Card, NetworkRequest
from bank_simulator.values.card_data import CardData
from bank_simulator.values.keyed_hash import fingerprint
from bank_simulator.values.vocabulary import (
    AccountKind,
    DeclineCode,
    Holding,
    Manner,
    RequestKind,
    Status,
)


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

    def fingerprint(self, card_key: str) -> str:
        """Return what tells this request from another one; the CVV has no part in it."""
        return fingerprint(
            card_key,
            {
                "kind": self.kind,
                "amount_minor": self.amount_minor,
                "currency": self.currency,
                "number": self.card.number,
                "expiry": [self.card.exp_year, self.card.exp_month],
                "merchant_id": self.merchant_id,
                "order_id": self.order_id,
            },
        )


def pay(command: Pay, card_key: str) -> Processed:
    """Take or hold the money, once per request id.

    Raises:
        RequestIdReused: the id came before with other parameters.
    """
    now = utc_now()
    print_of_it = command.fingerprint(card_key)
    authorization_code = new_authorization_code()

    def work(session: Session) -> Processed:
        request = NetworkRequest(
            request_id=command.request_id,
            kind=command.kind,
            fingerprint=print_of_it,
            amount_minor=command.amount_minor,
            currency=command.currency,
            merchant_id=command.merchant_id,
            order_id=command.order_id,
            processed_at=now,
        )
        card = find_card(session, command.card)
        decline = refusal(card, command.card, now.date(), card_key)
        if card is None or decline is not None:
            return _decline(session, request, card, decline)
        moved = postings(command.kind, Movement(command.amount_minor))
        accounts = accounts_for(session, moved, card, command.merchant_id, command.currency)
        if not _can_pay(accounts, command.amount_minor):
            return _decline(session, request, card, DeclineCode.INSUFFICIENT_FUNDS)
        request.card_id = card.id
        request.status = Status.APPROVED
        request.authorization_code = authorization_code
        _take(request, command)
        post(session, request, moved, accounts)
        return Processed(request, card.manner)

    try:
        return in_transaction_with_accounts(work)
    except IntegrityError as duplicate:
        return Processed(stored_answer(command.request_id, duplicate, print_of_it))


def _can_pay(accounts: Accounts, amount_minor: int) -> bool:
    balance_minor = accounts[AccountKind.CARDHOLDER].balance_minor
    return balance_minor is None or balance_minor >= amount_minor


def _take(request: NetworkRequest, command: Pay) -> None:
    if command.kind is RequestKind.SALE:
        request.holding = Holding.CAPTURED
        request.captured_minor = command.amount_minor
    else:
        request.holding = Holding.HELD
        request.held_minor = command.amount_minor


def _decline(
    session: Session, request: NetworkRequest, card: Card | None, code: DeclineCode | None
) -> Processed:
    request.status = Status.DECLINED
    request.decline_code = code
    request.card_id = card.id if card is not None else None
    session.add(request)
    return Processed(request, Manner.NORMAL)
