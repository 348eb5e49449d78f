"""Recognising a request that arrived before.

Nobody looks beforehand: the insert of the unique request id decides between two that arrive together, also
across processes, and the loser's whole transaction is undone before it reads the winner's answer.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.domain.new_rows import insert_new
from bank_simulator.errors import RequestIdReused
from bank_simulator.extensions import db
from bank_simulator.models import NetworkRequest
from bank_simulator.values.vocabulary import CardBehaviour, Status


@dataclass(frozen=True, slots=True)
class Processed:
    """A request as it stands; ``behaviour`` says how its answer travels (normally, for a repetition)."""

    request: NetworkRequest
    behaviour: CardBehaviour = CardBehaviour.NORMAL


def store(session: Session, request: NetworkRequest) -> None:
    """Store a request that is new; one that is stored already keeps its row.

    Raises:
        IntegrityError: its id has arrived before.
    """
    if not request.id:
        insert_new(session, request)


def stored_answer(
    request_id: str, duplicate: IntegrityError, fingerprint: str | None = None
) -> NetworkRequest:
    """Return the request that holds this id.

    Raises:
        RequestIdReused: it came with other parameters than ``fingerprint`` stands for.
        IntegrityError: ``duplicate`` itself, when it was about something else.
    """
    with db.reading() as session:
        request: NetworkRequest | None = session.scalar(
            select(NetworkRequest).where(NetworkRequest.request_id == request_id)
        )
    if request is None:
        raise duplicate
    if (
        fingerprint is not None
        and request.status is not Status.ABANDONED
        and request.fingerprint != fingerprint
    ):
        raise RequestIdReused
    return request
