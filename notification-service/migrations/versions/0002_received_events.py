"""Events of payments"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from service_kit.db.migrations import create_table
from sqlalchemy import Column, String, Text, UniqueConstraint

# The id of the last revision of the set before this one: a database that has all of those is up to date.
revision = "0003"
down_revision = "0001_notifications"


def upgrade() -> None:
    create_table(
        "received_events",
        Column("id", BigId, primary_key=True),
        Column("event_id", ascii_key(64), nullable=False),
        Column("merchant_id", ascii_key(64), nullable=False),
        Column("payment_id", ascii_key(64), nullable=False),
        Column("type", String(40), nullable=False),
        Column("occurred_at", UtcDateTime, nullable=False),
        Column("received_at", UtcDateTime, nullable=False),
        Column("body", Text, nullable=False),
        UniqueConstraint("event_id"),
    )
