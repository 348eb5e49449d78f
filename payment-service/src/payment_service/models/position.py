"""The order in which events and entries became visible, which is what readers follow.

Ids and times are chosen before COMMIT, so that a row may appear behind one that was read already. A position
is given to a row once it is committed, without gaps, and never changes.
"""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, enum_column
from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.values.statuses import EntryKind, LedgerAccount


class EventPosition(Base):
    """The place of one event among all; ``type`` is the event's, so that a list of one type has an index."""

    __tablename__ = "event_positions"
    __table_args__ = (
        Index(None, "merchant_id", "position"),
        Index(None, "merchant_id", "type", "position"),
    )

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment_events.id"), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    type: Mapped[str] = mapped_column(String(40))


class EntryPosition(Base):
    """The place of one ledger entry among all; ``account`` and ``kind`` are the entry's."""

    __tablename__ = "entry_positions"
    __table_args__ = (
        Index(None, "merchant_id", "position"),
        Index(None, "merchant_id", "account", "position"),
        Index(None, "merchant_id", "kind", "position"),
    )

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_id: Mapped[int] = mapped_column(BigId, ForeignKey("ledger_entries.id"), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    account: Mapped[LedgerAccount] = mapped_column(enum_column(LedgerAccount, 24))
    kind: Mapped[EntryKind] = mapped_column(enum_column(EntryKind, 24))


class Sequence(Base):
    """How far the rows of one table have positions; its lock is held by whoever gives out more.

    ``gaps`` is JSON: the ranges of ids up to ``seen_id`` that were not visible, as ``[first, last, moment]``
    (seconds since 1970 at which the range was first met). Their rows may still be committed.
    """

    __tablename__ = "sequences"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    last_position: Mapped[int] = mapped_column(BigInteger)
    seen_id: Mapped[int] = mapped_column(BigInteger)
    gaps: Mapped[str] = mapped_column(Text)


class Follower(Base):
    """How far one destination (its ``name``) was told of the events, in the order of their positions.

    Whoever holds the lease (``lease_id``, until ``next_try_at``) tells it more. ``tries`` counts how often
    what comes next failed, since ``failing_since``; ``next_try_at`` is then the end of the pause.
    """

    __tablename__ = "followers"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_id: Mapped[str | None] = mapped_column(String(32))
    tries: Mapped[int]
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)
