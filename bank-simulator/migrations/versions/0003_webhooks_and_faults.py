"""What the merchant's side is told by webhooks, and the faults that are played"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import Column, Integer, String, Text, UniqueConstraint

# The id of the last revision of the set before this one: a database that has all of those is up to date.
revision = "0015"
down_revision = "0002_network_requests"


def upgrade() -> None:
    create_table(
        "webhook_events",
        Column("id", BigId, primary_key=True),
        Column("queue", String(32), nullable=False),
        Column("status", String(8), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("next_attempt_at", UtcDateTime, nullable=False),
        Column("lease_id", String(32)),
        Column("last_error", Text),
        Column("created_at", UtcDateTime, nullable=False),
        Column("done_at", UtcDateTime),
        Column("event_id", ascii_key(64), nullable=False),
        Column("event_type", String(32), nullable=False),
        Column("body", Text, nullable=False),
        UniqueConstraint("event_id"),
    )
    create_index("webhook_events", "queue", "status", "next_attempt_at")

    create_table(
        "fault_plans",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("document", Text, nullable=False),
    )

    create_table(
        "arrival_counts",
        Column("operation", ascii_key(16), primary_key=True),
        Column("request_id", ascii_key(64), primary_key=True),
        Column("arrivals", Integer, nullable=False),
    )
