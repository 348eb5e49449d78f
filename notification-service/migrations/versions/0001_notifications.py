"""Notifications, which are also the queue of letters, and the log of their delivery"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import Column, ForeignKey, Integer, String, Text, UniqueConstraint

revision = "0001_notifications"
down_revision = None


def upgrade() -> None:
    create_table(
        "notifications",
        Column("id", BigId, primary_key=True),
        Column("queue", String(32), nullable=False),
        Column("status", String(8), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("next_attempt_at", UtcDateTime, nullable=False),
        Column("lease_id", String(32)),
        Column("last_error", Text),
        Column("created_at", UtcDateTime, nullable=False),
        Column("done_at", UtcDateTime),
        Column("public_id", ascii_key(64), nullable=False),
        Column("event_id", ascii_key(64), nullable=False),
        Column("content_hash", ascii_key(64), nullable=False),
        Column("type", String(32), nullable=False),
        Column("locale", String(2), nullable=False),
        Column("recipient", String(254), nullable=False),
        Column("data", Text, nullable=False),
        Column("accepted_at", UtcDateTime, nullable=False),
        UniqueConstraint("public_id"),
        UniqueConstraint("event_id"),
    )
    create_index("notifications", "queue", "status", "next_attempt_at")

    create_table(
        "delivery_attempts",
        Column("id", BigId, primary_key=True),
        Column("notification_id", BigId, ForeignKey("notifications.id"), nullable=False),
        Column("number", Integer, nullable=False),
        Column("attempted_at", UtcDateTime, nullable=False),
        Column("channel", String(16), nullable=False),
        Column("recipient", String(254), nullable=False),
        Column("result", String(16), nullable=False),
        Column("answer", Text, nullable=False),
    )
    create_index("delivery_attempts", "notification_id")
