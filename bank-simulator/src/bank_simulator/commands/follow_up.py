"""What may be done with an approved sale or authorisation: capture, void, refund."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.domain.idempotency import Processed, store, stored_answer
from bank_simulator.domain.ledger import accounts_for, post
from bank_simulator.domain.paying import decline
from bank_simulator.domain.postings import Movement, postings
from bank_simulator.models import Card, NetworkRequest
from bank_simulator.values.keyed_hash import fingerprint
from bank_simulator.values.vocabulary import CardBehaviour, DeclineCode, Holding, RequestKind, Status

# After that a sale is settled between the banks, and only a refund gives the money back.
SALE_CAN_BE_VOIDED_FOR = timedelta(hours=24)

_DECIDED_LATER = {
    CardBehaviour.REFUND_APPROVED_LATER: Status.APPROVED,
    CardBehaviour.REFUND_DECLINED_LATER: Status.DECLINED,
}


@dataclass(frozen=True, slots=True)
class Capture:
    """Take part or all of an authorisation; ``is_final`` gives the rest back to the cardholder."""

    kind: ClassVar[RequestKind] = RequestKind.CAPTURE

    request_id: str
    original_request_id: str
    amount_minor: int
    is_final: bool

    def apply(self, original: NetworkRequest, _now: datetime) -> Movement | DeclineCode:
        if original.holding is not Holding.HELD:
            return DeclineCode.WRONG_STATE
        if self.amount_minor > original.held_minor:
            return DeclineCode.AMOUNT_TOO_LARGE
        original.captured_minor += self.amount_minor
        original.held_minor -= self.amount_minor
        released_minor = original.held_minor if self.is_final else 0
        original.held_minor -= released_minor
        if original.held_minor == 0:
            original.holding = Holding.CAPTURED
        return Movement(self.amount_minor, released_minor)


@dataclass(frozen=True, slots=True)
class Void:
    """Release what is still held; give a sale that is not old, refunded or disputed back whole."""

    kind: ClassVar[RequestKind] = RequestKind.VOID

    request_id: str
    original_request_id: str

    def apply(self, original: NetworkRequest, now: datetime) -> Movement | DeclineCode:
        if original.holding is Holding.HELD:
            released_minor = original.held_minor
            original.held_minor = 0
            original.holding = Holding.CAPTURED if original.captured_minor else Holding.VOIDED
            return Movement(released_minor, released_minor)
        is_open_sale = original.kind is RequestKind.SALE and original.holding is Holding.CAPTURED
        is_touched = original.refunded_minor or original.disputed_minor
        if not is_open_sale or is_touched or now > original.processed_at + SALE_CAN_BE_VOIDED_FOR:
            return DeclineCode.WRONG_STATE
        original.holding = Holding.VOIDED
        return Movement(original.captured_minor)


@dataclass(frozen=True, slots=True)
class Refund:
    """Give captured money back; never what is disputed or was lost so."""

    kind: ClassVar[RequestKind] = RequestKind.REFUND

    request_id: str
    original_request_id: str
    amount_minor: int

    def apply(self, original: NetworkRequest, _now: datetime) -> Movement | DeclineCode:
        if original.holding is Holding.VOIDED or original.captured_minor == 0:
            return DeclineCode.WRONG_STATE
        if self.amount_minor > original.returnable_minor:
            return DeclineCode.AMOUNT_TOO_LARGE
        original.refunded_minor += self.amount_minor
        return Movement(self.amount_minor)


FollowUp = Capture | Void | Refund


def follow_up(command: FollowUp, settings: BankSettings) -> Processed:
    """Lock the original, let the command change it, move the money and store the answer.

    Raises:
        RequestIdReused: the id came before with other parameters.
    """
    inputs = UnitInputs.draw(settings)
    its_fingerprint = _fingerprint(command, settings.card_key)

    def work(session: Session) -> Processed:
        original = session.scalar(
            select(NetworkRequest)
            .where(NetworkRequest.request_id == command.original_request_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        request = _new_request(command, its_fingerprint, original, inputs.now)
        applied = DeclineCode.NOT_FOUND if original is None else command.apply(original, inputs.now)
        if isinstance(applied, DeclineCode):
            decline(request, applied)
        elif original is not None:
            _accept(session, command.kind, request, original, applied, inputs)
        store(session, request)
        return Processed(request)

    try:
        return in_transaction_with_accounts(work)
    except IntegrityError as duplicate:
        return Processed(stored_answer(command.request_id, duplicate, its_fingerprint))


def _fingerprint(command: FollowUp, card_key: str) -> str:
    parameters = asdict(command)
    del parameters["request_id"]
    return fingerprint(
        card_key, {"kind": command.kind, "original": parameters.pop("original_request_id"), **parameters}
    )


def _new_request(
    command: FollowUp, its_fingerprint: str, original: NetworkRequest | None, now: datetime
) -> NetworkRequest:
    request = NetworkRequest(
        request_id=command.request_id,
        kind=command.kind,
        fingerprint=its_fingerprint,
        amount_minor=None if isinstance(command, Void) else command.amount_minor,
        processed_at=now,
    )
    if original is not None:
        request.original_row_id = original.id
        request.card_id = original.card_id
        request.merchant_id = original.merchant_id
        request.order_id = original.order_id
        request.currency = original.currency
        if request.amount_minor is None:
            request.amount_minor = original.amount_minor
    return request


def _accept(
    session: Session,
    kind: RequestKind,
    request: NetworkRequest,
    original: NetworkRequest,
    movement: Movement,
    inputs: UnitInputs,
) -> None:
    """Move the money now or, for a refund to some cards, when their bank has decided."""
    card = session.get_one(Card, original.card_id)
    request.amount_minor = movement.amount_minor
    request.released_minor = movement.released_minor
    decision = _DECIDED_LATER.get(card.behaviour) if kind is RequestKind.REFUND else None
    if decision is not None:
        request.status = Status.PENDING
        request.decision = decision
        request.due_at = inputs.after(inputs.settings.decision_s)
        return
    request.status = Status.APPROVED
    request.authorization_code = inputs.authorization_code
    moved = postings(kind, movement)
    accounts = accounts_for(session, moved, card, str(original.merchant_id), str(original.currency))
    post(session, request, moved, accounts)
