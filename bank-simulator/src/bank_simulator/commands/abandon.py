"""Making sure that a request can never be executed any more."""

from service_kit.clock import utc_now
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.domain.idempotency import stored_answer
from bank_simulator.extensions import db
from bank_simulator.models import NetworkRequest
from bank_simulator.values.vocabulary import Status


def abandon(request_id: str) -> NetworkRequest:
    """Put a tombstone under ``request_id``; if such a request was executed before, return that one."""
    now = utc_now()

    def work(session: Session) -> NetworkRequest:
        tombstone = NetworkRequest(request_id=request_id, status=Status.ABANDONED, processed_at=now)
        session.add(tombstone)
        return tombstone

    try:
        return db.in_transaction(work)
    except IntegrityError as duplicate:
        return stored_answer(request_id, duplicate)
