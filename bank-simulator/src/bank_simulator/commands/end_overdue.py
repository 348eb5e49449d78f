"""Ending what waited long enough: challenges that nobody finished, and decisions that took their time."""

from service_kit.clock import utc_now
from sqlalchemy import select
from sqlalchemy.orm import Session

from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.domain.open_requests import end_by_itself, lock_request
from bank_simulator.errors import RequestUnknown
from bank_simulator.extensions import db
from bank_simulator.models import NetworkRequest


def end_overdue(request_id: str, settings: BankSettings) -> NetworkRequest:
    """End the request if it is overdue, and return it as it stands.

    Raises:
        RequestUnknown: there is no such request.
    """
    inputs = UnitInputs.draw(settings)

    def work(session: Session) -> NetworkRequest:
        request = lock_request(session, request_id)
        if request is None:
            raise RequestUnknown
        if request.is_overdue(inputs.now):
            end_by_itself(session, request, inputs)
        return request

    return in_transaction_with_accounts(work)


def end_all_overdue(settings: BankSettings, limit: int) -> int:
    """End up to ``limit`` overdue requests, each in a transaction of its own; return how many there were."""
    due = select(NetworkRequest.request_id).where(NetworkRequest.due_at <= utc_now())
    with db.reading() as session:
        request_ids = session.scalars(due.order_by(NetworkRequest.due_at).limit(limit)).all()
    for request_id in request_ids:
        end_overdue(request_id, settings)
    return len(request_ids)
