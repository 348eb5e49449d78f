"""What became of one request."""

from sqlalchemy import select

from bank_simulator.errors import RequestUnknown
from bank_simulator.extensions import db
from bank_simulator.models import NetworkRequest


def find_request(request_id: str) -> NetworkRequest:
    """Return the request with its answer.

    Raises:
        RequestUnknown: nothing with this id has been committed, which does not mean that it never will.
    """
    with db.reading() as session:
        request: NetworkRequest | None = session.scalar(
            select(NetworkRequest).where(NetworkRequest.request_id == request_id)
        )
    if request is None:
        raise RequestUnknown
    return request
