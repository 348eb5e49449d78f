"""Gives events and ledger entries that have committed their positions, for whoever follows them."""

from service_kit.clock import utc_now
from sqlalchemy.exc import IntegrityError
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from payment_service.domain import positions
from payment_service.domain.positions import Log
from payment_service.extensions import db
from payment_service.processing.dependencies import Dependencies


def give_positions(log: Log, dependencies: Dependencies, *, look_first: bool = True) -> int:
    """Give every row that is committed by now its position, and return how many there were.

    Readers of a list come here first: they see what they wrote, whatever became of the worker. Where mostly
    nothing is new, to ``look_first`` spares the lock.
    """
    placed = 0
    while True:
        if look_first:
            with db.reading() as session:
                if not positions.has_news(session, log):
                    return placed
        count = _give_next(log, dependencies.config.limits.gap_s)
        placed += count
        if count < positions.BATCH:
            return placed


# IntegrityError: somebody else began the log at the same moment; look again.
@retry(retry=retry_if_exception_type(IntegrityError), stop=stop_after_attempt(5), reraise=True)
def _give_next(log: Log, margin_s: float) -> int:
    now_s = utc_now().timestamp()
    return db.in_transaction(lambda session: positions.give_positions(session, log, now_s, margin_s))
