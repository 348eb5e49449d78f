"""The fault plan in force: the one that an admin call stored, else the configured one."""

import json
import threading
import time
from collections.abc import Callable

from service_kit.db.rows import affected_rows
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.extensions import db
from bank_simulator.models import ArrivalCount, StoredFaultPlan
from bank_simulator.values.fault_plan import Arrival, FaultPlan

# Other worker processes notice an admin call after this long; the one that took it, at once.
LOOK_AGAIN_AFTER_S = 0.5


class FaultPlans:
    """Knows the plan in force without asking the database for every request."""

    def __init__(self, configured: FaultPlan, read: Callable[[str], FaultPlan]) -> None:
        self._configured = configured
        self._read = read
        self._lock = threading.Lock()
        self._plan = configured
        self._known_until_s = 0.0

    def in_force(self) -> FaultPlan:
        """Return the plan, at most ``LOOK_AGAIN_AFTER_S`` old."""
        with self._lock:
            if time.monotonic() >= self._known_until_s:
                self._plan = self._look()
                self._known_until_s = time.monotonic() + LOOK_AGAIN_AFTER_S
            return self._plan

    def forget(self) -> None:
        with self._lock:
            self._known_until_s = 0.0

    def _look(self) -> FaultPlan:
        with db.reading() as session:
            document = session.scalar(select(StoredFaultPlan.document))
        return self._configured if document is None else self._read(document)


def store_document(plan: FaultPlan) -> str:
    return json.dumps(plan.document())


def count_arrival(operation: str, request_id: str) -> Arrival:
    """Count one more arrival of this operation with this id, and return which one it is (1 is the first)."""
    key = (ArrivalCount.operation == operation, ArrivalCount.request_id == request_id)

    def work(session: Session) -> int:
        one_more = update(ArrivalCount).where(*key).values(arrivals=ArrivalCount.arrivals + 1)
        if affected_rows(session, one_more) == 0:
            session.add(ArrivalCount(operation=operation, request_id=request_id, arrivals=1))
            return 1
        return session.execute(select(ArrivalCount.arrivals).where(*key)).scalar_one()

    try:
        ordinal = db.in_transaction(work)
    except IntegrityError:
        # Another arrival was the first one meanwhile; now there is a row to count on.
        ordinal = db.in_transaction(work)
    return Arrival(operation, request_id, ordinal)
