"""How a sale or an authorisation goes on once its card was found good: cardholder, bank, money."""

from sqlalchemy.orm import Session

from bank_simulator.domain.bank_settings import UnitInputs
from bank_simulator.domain.ledger import Accounts, accounts_for, post
from bank_simulator.domain.postings import Movement, postings
from bank_simulator.models import Card, NetworkRequest
from bank_simulator.values.authentication import ThreeDSecure, authentication, check_cardholder
from bank_simulator.values.vocabulary import (
    AccountKind,
    AuthenticationStatus,
    CardBehaviour,
    CardholderCheck,
    DeclineCode,
    Holding,
    RequestKind,
    Status,
    ThreeDSecureMode,
)

_DECIDED_LATER = {
    CardBehaviour.SALE_APPROVED_LATER: Status.APPROVED,
    CardBehaviour.SALE_DECLINED_LATER: Status.DECLINED,
}


def ask_cardholder(
    session: Session, request: NetworkRequest, card: Card, wanted: ThreeDSecure | None, inputs: UnitInputs
) -> None:
    """Authenticate the cardholder as far as merchant and card want it, and go on to the bank if that is over.

    A challenge moves no money: the request waits, until the cardholder's answer or the session's end.
    """
    if wanted is None:
        if card.cardholder_check is CardholderCheck.CHALLENGE:
            decline(request, DeclineCode.AUTHENTICATION_REQUIRED)
        else:
            ask_bank(session, request, card, inputs)
        return
    status = check_cardholder(card.cardholder_check, wanted.mode)
    if status is None:
        request.status = Status.REQUIRES_ACTION
        request.acs_token = inputs.acs_token
        request.return_url = wanted.return_url
        request.merchant_name = wanted.merchant_name
        request.due_at = inputs.after(inputs.settings.acs_session_s)
        return
    note_authentication(request, card, status)
    is_unavailable = status is AuthenticationStatus.UNAVAILABLE
    if status is AuthenticationStatus.FAILED or (is_unavailable and wanted.mode is ThreeDSecureMode.REQUIRED):
        decline(request, DeclineCode.AUTHENTICATION_FAILED)
    else:
        ask_bank(session, request, card, inputs)


def ask_bank(session: Session, request: NetworkRequest, card: Card, inputs: UnitInputs) -> None:
    decision = _DECIDED_LATER.get(card.behaviour)
    if decision is None:
        move_money(session, request, card, inputs)
        return
    request.status = Status.PENDING
    request.decision = decision
    request.due_at = inputs.after(inputs.settings.decision_s)


def move_money(session: Session, request: NetworkRequest, card: Card, inputs: UnitInputs) -> None:
    """Take or hold the money, or decline the request because it is not there."""
    amount_minor = request.amount_minor or 0
    kind = RequestKind(request.kind or RequestKind.SALE)
    moved = postings(kind, Movement(amount_minor))
    accounts = accounts_for(session, moved, card, str(request.merchant_id), str(request.currency))
    if not _can_pay(accounts, amount_minor):
        decline(request, DeclineCode.INSUFFICIENT_FUNDS)
        return
    request.status = Status.APPROVED
    request.authorization_code = inputs.authorization_code
    if kind is RequestKind.SALE:
        request.holding = Holding.CAPTURED
        request.captured_minor = amount_minor
    else:
        request.holding = Holding.HELD
        request.held_minor = amount_minor
    post(session, request, moved, accounts)


def decline(request: NetworkRequest, code: DeclineCode) -> None:
    request.status = Status.DECLINED
    request.decline_code = code


def note_authentication(request: NetworkRequest, card: Card, status: AuthenticationStatus) -> None:
    result = authentication(status, card.number)
    request.authentication_status = result.status
    request.eci = result.eci


def _can_pay(accounts: Accounts, amount_minor: int) -> bool:
    balance_minor = accounts[AccountKind.CARDHOLDER].balance_minor
    return balance_minor is None or balance_minor >= amount_minor
