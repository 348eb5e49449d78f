"""The line between payment-service and its database, with what befalls a COMMIT."""

from collections import Counter
from enum import StrEnum

from sqlalchemy import Connection, Engine, event

from tests.model.wire import Died
from tests.testkit.payments.world import lost_connection


class Loss(StrEnum):
    """What befalls one COMMIT."""

    LOST = "the connection is lost before it is stored"
    UNHEARD = "the connection is lost once it is stored"
    DEATH_BEFORE = "the process dies before it is stored"
    DEATH_AFTER = "the process dies once it is stored"


class Storage:
    """Hears of every COMMIT; ``losses`` befall the next ones, one each, and None spares one.

    ``commits`` counts those that stored something, ``struck`` those that something befell.
    """

    def __init__(self, engine: Engine, seen: Counter[str]) -> None:
        self.losses: list[Loss | None] = []
        self.commits = 0
        self.struck = 0
        self._seen = seen
        event.listen(engine, "commit", self._commit)

    def _commit(self, connection: Connection) -> None:
        loss = self.losses.pop(0) if self.losses else None
        is_stored = loss in {None, Loss.UNHEARD, Loss.DEATH_AFTER}
        self.commits += is_stored
        if loss is None:
            return
        self.struck += 1
        self._seen[f"fault of a COMMIT → {loss}"] += 1
        # Either way the transaction is over: its connection may serve the next process.
        if is_stored:
            connection.connection.commit()
        else:
            connection.connection.rollback()
        if loss in {Loss.DEATH_BEFORE, Loss.DEATH_AFTER}:
            raise Died
        raise lost_connection()
