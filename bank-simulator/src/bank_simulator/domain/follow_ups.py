"""What may be done with an approved sale or authorisation: capture, void, refund."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bank_simulator.domain.ledger import accounts_for, post
from bank_simulator.domain.postings import Movement, postings
from bank_simulator.models import Card, NetworkRequest
from bank_simulator.values.vocabulary import DeclineCode, Holding, RequestKind, Status

# After that a sale is settled between the banks, and only a refund gives the money back.
SALE_CAN_BE_VOIDED_FOR = timedelta(hours=24)

Ruling = Movement | DeclineCode


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A request about an earlier one, as it arrived."""

    kind: RequestKind
    request_id: str
    original_request_id: str
    fingerprint: str
    authorization_code: str
    arrived_at: datetime
    amount_minor: int | None


def carry_out(
    session: Session, follow_up: FollowUp, rule: Callable[[NetworkRequest], Ruling]
) -> NetworkRequest:
    """Lock the original, let ``rule`` judge (and change) it, move the money and store the answer."""
    original = session.scalar(
        select(NetworkRequest)
        .where(NetworkRequest.request_id == follow_up.original_request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if original is None:
        return _declined(session, follow_up, None, DeclineCode.NOT_FOUND)
    ruling = rule(original)
    if isinstance(ruling, DeclineCode):
        return _declined(session, follow_up, original, ruling)
    return _approved(session, follow_up, original, ruling)


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
    """Give back what is still held or, of a sale that is neither old nor refunded, everything."""
    if original.holding is Holding.HELD:
        released_minor = original.held_minor
        original.held_minor = 0
        original.holding = Holding.CAPTURED if original.captured_minor else Holding.VOIDED
        return Movement(released_minor, released_minor)
    is_open_sale = original.kind is RequestKind.SALE and original.holding is Holding.CAPTURED
    if not is_open_sale or original.refunded_minor or now > original.processed_at + SALE_CAN_BE_VOIDED_FOR:
        return DeclineCode.WRONG_STATE
    original.holding = Holding.VOIDED
    return Movement(original.captured_minor)


def refund(original: NetworkRequest, amount_minor: int) -> Ruling:
    """Give back captured money, all refunds together never more than was captured."""
    if original.holding is Holding.VOIDED or original.captured_minor == 0:
        return DeclineCode.WRONG_STATE
    if original.refunded_minor + amount_minor > original.captured_minor:
        return DeclineCode.AMOUNT_TOO_LARGE
    original.refunded_minor += amount_minor
    return Movement(amount_minor)


def _declined(
    session: Session, follow_up: FollowUp, original: NetworkRequest | None, code: DeclineCode
) -> NetworkRequest:
    request = _answer(follow_up, original)
    request.status = Status.DECLINED
    request.decline_code = code
    session.add(request)
    return request


def _approved(
    session: Session, follow_up: FollowUp, original: NetworkRequest, movement: Movement
) -> NetworkRequest:
    card = session.get_one(Card, original.card_id)
    request = _answer(follow_up, original)
    request.status = Status.APPROVED
    request.authorization_code = follow_up.authorization_code
    request.amount_minor = movement.amount_minor
    request.released_minor = movement.released_minor
    moved = postings(follow_up.kind, movement)
    accounts = accounts_for(session, moved, card, str(original.merchant_id), str(original.currency))
    post(session, request, moved, accounts)
    return request


def _answer(follow_up: FollowUp, original: NetworkRequest | None) -> NetworkRequest:
    request = NetworkRequest(
        request_id=follow_up.request_id,
        kind=follow_up.kind,
        fingerprint=follow_up.fingerprint,
        amount_minor=follow_up.amount_minor,
        processed_at=follow_up.arrived_at,
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
