"""What the system cost while the load ran: CPU, memory, SQL statements, how late others are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any

import psutil
from notification_service.models import ReceivedEvent
from payment_service.models.message import OutboxMessage
from payment_service.models.payment import PaymentEvent
from payment_service.models.position import EventPosition, Follower
from payment_service.values.statuses import Destination
from service_kit.jobs.queue import JobStatus
from sqlalchemy import Engine, func, or_, select, text

from tests.system.whole import WholeSystem


@dataclass(frozen=True)
class Reading:
    """CPU seconds used so far by process, and statements answered so far by the database."""

    cpu_s: Mapping[str, float]
    statements: int

    def until(self, later: "Reading", payments: int) -> dict[str, Any]:
        """Return the cost of one payment between two readings."""
        spent = {name: later.cpu_s[name] - self.cpu_s[name] for name in later.cpu_s}
        per_payment = {name: round(seconds * 1000 / payments, 2) for name, seconds in spent.items()}
        return {
            "cpu_ms_per_payment": {**per_payment, "total": round(sum(spent.values()) * 1000 / payments, 2)},
            "sql_per_payment": round((later.statements - self.statements) / payments, 1),
        }


class Meter:
    """Reads the meters of a running system."""

    def __init__(self, system: WholeSystem, others: Mapping[str, int], database: Engine) -> None:
        self._pids = {**{name: system.pid(name) for name in system.names}, **others}
        self._database = database

    def read(self) -> Reading:
        """Read now."""
        with self._database.connect() as connection:
            row = connection.execute(text("SHOW GLOBAL STATUS LIKE 'Questions'")).one()
        return Reading({name: _cpu_s(pid) for name, pid in self._pids.items()}, int(row[1]))

    def memory_mib(self, names: Sequence[str]) -> float:
        """Return what the named processes and their children hold themselves (proportional set size)."""
        return sum(_memory_mib(self._pids[name]) for name in names)


def oldest_untold_s(payment_database: Engine) -> float:
    """Return the age of the oldest event or message that somebody is still to be told of, 0 without any."""
    told = select(func.min(Follower.position)).scalar_subquery()
    is_untold = or_(EventPosition.position.is_(None), EventPosition.position > told)
    # What has no position yet is at the end: the newest events, and not all that there ever were.
    newest = select(func.max(PaymentEvent.id) - 5000).scalar_subquery()
    with payment_database.connect() as connection:
        event = connection.execute(
            select(func.min(PaymentEvent.created_at))
            .outerjoin(EventPosition, EventPosition.row_id == PaymentEvent.id)
            .where(PaymentEvent.id > newest, is_untold)
        ).scalar()
        # By queue, as the index goes: reading all that was ever delivered would be most of what is measured.
        message = connection.execute(
            select(func.min(OutboxMessage.created_at)).where(
                OutboxMessage.queue.in_(list(Destination)), OutboxMessage.status == JobStatus.PENDING
            )
        ).scalar()
    ages_s = [(datetime.now(UTC) - oldest).total_seconds() for oldest in (event, message) if oldest]
    return max([0.0, *ages_s])


def events_reach_notification_service_s(notification_database: Engine, since: datetime) -> float:
    """Return within how many seconds 95 % of the events since then came to notification-service."""
    times = select(ReceivedEvent.occurred_at, ReceivedEvent.received_at).where(
        ReceivedEvent.occurred_at >= since
    )
    with notification_database.connect() as connection:
        rows = connection.execute(times).all()
    return quantiles([(row[1] - row[0]).total_seconds() for row in rows], n=100)[94] if len(rows) > 1 else 0.0


def _family(pid: int) -> list[psutil.Process]:
    leader = psutil.Process(pid)
    return [leader, *leader.children(recursive=True)]


def _cpu_s(pid: int) -> float:
    times = [process.cpu_times() for process in _family(pid)]
    return float(sum(time.user + time.system for time in times))


def _memory_mib(pid: int) -> float:
    return float(sum(process.memory_full_info().pss for process in _family(pid))) / 2**20
