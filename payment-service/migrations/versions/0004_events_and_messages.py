"""Events, chained, and the messages that go out and come in"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import Column, ForeignKey, Integer, String, Text, UniqueConstraint

revision = "0004_events_and_messages"
down_revision = "0003_movements"


def upgrade() -> None:
    create_table(
        "payment_events",
        Column("id", BigId, primary_key=True),
        Column("public_id", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("payment_id", BigId, ForeignKey("payments.id"), nullable=False),
        Column("sequence", Integer, nullable=False),
        Column("type", String(40), nullable=False),
        Column("body", Text, nullable=False),
        Column("mac", ascii_key(64), nullable=False),
        Column("key_id", String(16), nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        UniqueConstraint("public_id"),
        UniqueConstraint("payment_id", "sequence"),
    )
    create_index("payment_events", "merchant_id", "created_at", "id")
    create_index("payment_events", "merchant_id", "type", "created_at", "id")

    create_table(
        "outbox_messages",
        Column("id", BigId, primary_key=True),
        Column("queue", String(32), nullable=False),
        Column("status", String(8), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("next_attempt_at", UtcDateTime, nullable=False),
        Column("lease_id", String(32)),
        Column("last_error", Text),
        Column("created_at", UtcDateTime, nullable=False),
        Column("done_at", UtcDateTime),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("event_id", ascii_key(64), nullable=False),
        Column("payload", Text, nullable=False),
        UniqueConstraint("queue", "event_id"),
    )
    create_index("outbox_messages", "queue", "status", "next_attempt_at")

    create_table(
        "inbox_messages",
        Column("id", BigId, primary_key=True),
        Column("queue", String(32), nullable=False),
        Column("event_id", ascii_key(128), nullable=False),
        Column("body", Text, nullable=False),
        Column("outcome", String(24)),
        Column("status", String(8), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("next_attempt_at", UtcDateTime, nullable=False),
        Column("lease_id", String(32)),
        Column("last_error", Text),
        Column("created_at", UtcDateTime, nullable=False),
        Column("done_at", UtcDateTime),
        UniqueConstraint("queue", "event_id"),
    )
    create_index("inbox_messages", "queue", "status", "next_attempt_at")
