"""How a request ends that waited for the cardholder or for the bank.

Whatever may end it (the cardholder, the bank, the session's end, the merchant who abandons it) locks its row
first, after the row of the request that it is about, and looks again whether it is still open.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bank_simulator.domain.bank_settings import UnitInputs
from bank_simulator.domain.events import announce_request
from bank_simulator.domain.ledger import accounts_for, post
from bank_simulator.domain.paying import ask_bank, decline, move_money, note_authentication
from bank_simulator.domain.postings import Movement, postings
from bank_simulator.models import Card, NetworkRequest
from bank_simulator.values.vocabulary import (
    AuthenticationStatus,
    DeclineCode,
    EventType,
    RequestKind,
    Status,
)


def lock_request(session: Session, request_id: str) -> NetworkRequest | None:
    """Return the request as it stands; while it is open it is locked, its original before it."""
    request = session.scalar(select(NetworkRequest).where(NetworkRequest.request_id == request_id))
    if request is None or not request.is_open:
        return request
    if request.original_row_id is not None:
        lock_row(session, request.original_row_id)
    return lock_row(session, request.id)


def lock_row(session: Session, row_id: int) -> NetworkRequest:
    query = select(NetworkRequest).where(NetworkRequest.id == row_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def finish_challenge(
    session: Session, request: NetworkRequest, inputs: UnitInputs, *, is_passed: bool
) -> None:
    """End the challenge of a locked request that requires action; the bank is asked only if it was passed."""
    card = session.get_one(Card, request.card_id)
    _close(request, inputs)
    if is_passed:
        note_authentication(request, card, AuthenticationStatus.AUTHENTICATED)
        ask_bank(session, request, card, inputs)
    else:
        note_authentication(request, card, AuthenticationStatus.FAILED)
        decline(request, DeclineCode.AUTHENTICATION_FAILED)
    announce_request(session, request, EventType.THREE_DS_FINISHED, inputs)


def decide(session: Session, request: NetworkRequest, decision: Status, inputs: UnitInputs) -> None:
    """End a locked pending request as the bank decided; a sale still needs the money to be there."""
    _close(request, inputs)
    if request.kind is RequestKind.REFUND:
        _decide_refund(session, request, decision, inputs)
        announce_request(session, request, EventType.REFUND_UPDATED, inputs)
        return
    if decision is Status.APPROVED:
        move_money(session, request, session.get_one(Card, request.card_id), inputs)
    else:
        decline(request, DeclineCode.DO_NOT_HONOR)
    announce_request(session, request, EventType.PAYMENT_UPDATED, inputs)


def end_by_itself(session: Session, request: NetworkRequest, inputs: UnitInputs) -> None:
    """End a locked request that waited too long: a challenge as failed, the other as its bank had in mind."""
    if request.status is Status.REQUIRES_ACTION:
        finish_challenge(session, request, inputs, is_passed=False)
    else:
        decide(session, request, request.decision or Status.DECLINED, inputs)


def abandon_open(session: Session, request: NetworkRequest, inputs: UnitInputs) -> None:
    """End a locked request for good, without money; nobody is told but who asked for it."""
    _close(request, inputs)
    request.status = Status.ABANDONED
    if request.kind is RequestKind.REFUND:
        _give_up_refund(session, request)


def _close(request: NetworkRequest, inputs: UnitInputs) -> None:
    request.due_at = None
    request.processed_at = inputs.now


def _decide_refund(session: Session, request: NetworkRequest, decision: Status, inputs: UnitInputs) -> None:
    if decision is not Status.APPROVED:
        decline(request, DeclineCode.ACCOUNT_CLOSED)
        _give_up_refund(session, request)
        return
    card = session.get_one(Card, request.card_id)
    moved = postings(RequestKind.REFUND, Movement(request.amount_minor or 0))
    accounts = accounts_for(session, moved, card, str(request.merchant_id), str(request.currency))
    request.status = Status.APPROVED
    request.authorization_code = inputs.authorization_code
    post(session, request, moved, accounts)


def _give_up_refund(session: Session, request: NetworkRequest) -> None:
    """Let the original be refunded by somebody else; its lock is held since ``lock_request``."""
    original = session.get_one(NetworkRequest, request.original_row_id)
    original.refunded_minor -= request.amount_minor or 0
