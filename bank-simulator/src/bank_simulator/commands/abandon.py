"""Making sure that a request can never be executed any more."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.domain.open_requests import abandon_open, lock_request
from bank_simulator.extensions import db
from bank_simulator.models import NetworkRequest
from bank_simulator.values.vocabulary import Status


def abandon(request_id: str, settings: BankSettings) -> NetworkRequest:
    """Put a tombstone under ``request_id``, or end it if it is open; what was executed before is returned."""
    inputs = UnitInputs.draw(settings)

    def bury(session: Session) -> NetworkRequest:
        tombstone = NetworkRequest(request_id=request_id, status=Status.ABANDONED, processed_at=inputs.now)
        session.add(tombstone)
        return tombstone

    def end(session: Session) -> NetworkRequest | None:
        request = lock_request(session, request_id)
        if request is not None and request.is_open:
            abandon_open(session, request, inputs)
        return request

    try:
        return db.in_transaction(bury)
    except IntegrityError:
        # It has arrived; what it came to, or comes to now, its row's lock decides.
        request = db.in_transaction(end)
        if request is None:
            raise
        return request
