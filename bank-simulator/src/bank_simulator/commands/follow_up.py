"""What may be done with an approved sale or authorisation: capture, void, refund."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.domain.idempotency import Processed, stored_answer
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

Ruling = Movement | DeclineCode


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A request about an earlier one, as it arrived; ``parameters`` tell it from another with the same id."""

    kind: RequestKind
    request_id: str
    original_request_id: str
    amount_minor: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def fingerprint(self, card_key: str) -> str:
        """Return what tells this request from another one."""
        return fingerprint(
            card_key, {"kind": self.kind, "original": self.original_request_id, **self.parameters}
        )


@dataclass(frozen=True, slots=True)
class Arrived:
    """A follow-up with what its unit of work is given."""

    follow_up: FollowUp
    fingerprint: str
    inputs: UnitInputs


def carry_out_once(
    follow_up: FollowUp, rule: Callable[[NetworkRequest, UnitInputs], Ruling], settings: BankSettings
) -> Processed:
    """Lock the original, let ``rule`` judge (and change) it, move the money and store the answer.

    Raises:
        RequestIdReused: the id came before with other parameters.
    """
    arrived = Arrived(follow_up, follow_up.fingerprint(settings.card_key), UnitInputs.draw(settings))
    try:
        return Processed(in_transaction_with_accounts(lambda session: _carry_out(session, arrived, rule)))
    except IntegrityError as duplicate:
        return Processed(stored_answer(follow_up.request_id, duplicate, arrived.fingerprint))


def capture(original: NetworkRequest, amount_minor: int, *, is_final: bool) -> Ruling:
    """Take ``amount_minor`` out of the hold; a final capture releases the rest."""
    if original.holding is not Holding.HELD:
        return DeclineCode.WRONG_STATE
    if amount_minor > original.held_minor:
        return DeclineCode.AMOUNT_TOO_LARGE
    original.captured_minor += amount_minor
    original.held_minor -= amount_minor
    released_minor = original.held_minor if is_final else 0
    original.held_minor -= released_minor
    if original.held_minor == 0:
        original.holding = Holding.CAPTURED
    return Movement(amount_minor, released_minor)


def void(original: NetworkRequest, now: datetime) -> Ruling:
    """Give back what is still held or, of a sale that is not old, refunded or disputed, everything."""
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


def refund(original: NetworkRequest, amount_minor: int) -> Ruling:
    """Give back captured money; with open and lost disputes never more than was captured."""
    if original.holding is Holding.VOIDED or original.captured_minor == 0:
        return DeclineCode.WRONG_STATE
    if amount_minor > original.returnable_minor:
        return DeclineCode.AMOUNT_TOO_LARGE
    original.refunded_minor += amount_minor
    return Movement(amount_minor)


def _carry_out(
    session: Session, arrived: Arrived, rule: Callable[[NetworkRequest, UnitInputs], Ruling]
) -> NetworkRequest:
    original = session.scalar(
        select(NetworkRequest)
        .where(NetworkRequest.request_id == arrived.follow_up.original_request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    request = _answer(arrived, original)
    ruling = rule(original, arrived.inputs) if original is not None else DeclineCode.NOT_FOUND
    if isinstance(ruling, DeclineCode):
        decline(request, ruling)
    elif original is not None:
        _accept(session, request, original, ruling, arrived)
    session.add(request)
    return request


def _accept(
    session: Session, request: NetworkRequest, original: NetworkRequest, movement: Movement, arrived: Arrived
) -> None:
    """Move the money now or, for a refund to some cards, when their bank has decided."""
    kind, inputs = arrived.follow_up.kind, arrived.inputs
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


def _answer(arrived: Arrived, original: NetworkRequest | None) -> NetworkRequest:
    follow_up = arrived.follow_up
    request = NetworkRequest(
        request_id=follow_up.request_id,
        kind=follow_up.kind,
        fingerprint=arrived.fingerprint,
        amount_minor=follow_up.amount_minor,
        processed_at=arrived.inputs.now,
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
