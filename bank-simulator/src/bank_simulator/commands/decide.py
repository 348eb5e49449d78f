"""Deciding a pending request sooner than its bank would."""

from sqlalchemy.orm import Session

from bank_simulator.domain import open_requests
from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.errors import RequestNotPending, RequestUnknown
from bank_simulator.models import NetworkRequest
from bank_simulator.values.vocabulary import Status


def decide(request_id: str, decision: Status, settings: BankSettings) -> NetworkRequest:
    """End a pending request as ``decision`` says; one that ended so already is returned as it is.

    Raises:
        RequestUnknown: there is no such request.
        RequestNotPending: it is not pending, and did not end that way.
    """
    inputs = UnitInputs.draw(settings)

    def work(session: Session) -> NetworkRequest:
        request = open_requests.lock_request(session, request_id)
        if request is None:
            raise RequestUnknown
        if request.status is Status.PENDING:
            open_requests.decide(session, request, decision, inputs)
        elif request.status is not decision:
            raise RequestNotPending
        return request

    return in_transaction_with_accounts(work)
