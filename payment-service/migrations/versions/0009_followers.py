"""How far each destination was told of the events, instead of a message for each event and destination"""

import sqlalchemy as sa
from alembic import op
from service_kit.clock import utc_now
from service_kit.db.columns import UtcDateTime, ascii_key
from service_kit.db.migrations import add_column, create_table
from sqlalchemy import BigInteger, Column, Integer, String, Text

revision = "0009_followers"
down_revision = "0008_positions"

FOLLOWERS = sa.table(
    "followers",
    sa.column("name", String),
    sa.column("position", BigInteger),
    sa.column("next_try_at", UtcDateTime),
    sa.column("tries", Integer),
)
MESSAGES = sa.table(
    "outbox_messages",
    sa.column("queue", String),
    sa.column("event_id", ascii_key(64)),
    sa.column("status", String),
    sa.column("attempts", Integer),
    sa.column("next_attempt_at", UtcDateTime),
    sa.column("created_at", UtcDateTime),
)


def upgrade() -> None:
    create_table(
        "followers",
        Column("name", String(32), primary_key=True),
        Column("position", BigInteger, nullable=False),
        Column("next_try_at", UtcDateTime, nullable=False),
        Column("lease_id", String(32)),
        Column("tries", Integer, nullable=False),
        Column("failing_since", UtcDateTime),
        Column("last_error", Text),
    )
    add_column("outbox_messages", Column("traceparent", ascii_key(55)))
    for name in ("events", "fraud_outcomes"):
        _begin_where_the_messages_end(name)
    _tell_receipts_with_their_events()


def _begin_where_the_messages_end(name: str) -> None:
    """What has a position has its message, which is delivered if it was not."""
    bind = op.get_bind()
    if bind.scalar(sa.select(FOLLOWERS.c.name).where(FOLLOWERS.c.name == name)) is None:
        sequences = sa.table("sequences", sa.column("name"), sa.column("last_position"))
        last = sa.select(sequences.c.last_position).where(sequences.c.name == "events")
        row = {"name": name, "position": bind.scalar(last) or 0, "next_try_at": utc_now(), "tries": 0}
        bind.execute(FOLLOWERS.insert().values(row))


def _tell_receipts_with_their_events() -> None:
    """A receipt that was not delivered is made of its event, which is therefore sent again."""
    bind = op.get_bind()
    is_open = sa.and_(MESSAGES.c.queue == "notifications", MESSAGES.c.status != "done")
    now = utc_now()
    for event_id in bind.scalars(sa.select(MESSAGES.c.event_id).where(is_open)).all():
        its_event = sa.and_(MESSAGES.c.queue == "events", MESSAGES.c.event_id == event_id)
        values = {"status": "pending", "attempts": 0, "next_attempt_at": now, "created_at": now}
        bind.execute(MESSAGES.update().where(its_event).values(values))
    bind.execute(MESSAGES.delete().where(MESSAGES.c.queue == "notifications"))
