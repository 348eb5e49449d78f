"""Assessments, with an index for each velocity count, and what became of the money"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, exact_text
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import BigInteger, Boolean, Column, String, Text, UniqueConstraint

# The id of the last revision of the set before this one: a database that has all of those is up to date.
revision = "0003"
down_revision = "0001_lists"


def upgrade() -> None:
    create_table(
        "assessments",
        Column("id", BigId, primary_key=True),
        Column("assessment_id", ascii_key(32), nullable=False),
        Column("attempt_id", ascii_key(64), nullable=False),
        Column("assessed_at", UtcDateTime, nullable=False),
        Column("decision", String(16), nullable=False),
        Column("is_counted", Boolean, nullable=False),
        Column("card_fingerprint", ascii_key(64), nullable=False),
        Column("merchant_id", ascii_key(64), nullable=False),
        Column("user_id", exact_text(64), nullable=False),
        Column("ip", ascii_key(64)),
        Column("request", Text, nullable=False),
        Column("inputs", Text, nullable=False),
        Column("answer", Text, nullable=False),
        UniqueConstraint("assessment_id"),
        UniqueConstraint("attempt_id"),
    )
    counted = ("is_counted", "assessed_at")
    create_index("assessments", "card_fingerprint", *counted, name="ix_assessments_card")
    create_index("assessments", "merchant_id", "user_id", *counted, name="ix_assessments_user")
    create_index("assessments", "ip", *counted, name="ix_assessments_ip")

    create_table(
        "outcomes",
        Column("id", BigId, primary_key=True),
        Column("event_id", ascii_key(64), nullable=False),
        Column("kind", String(16), nullable=False),
        Column("merchant_id", ascii_key(64), nullable=False),
        Column("payment_id", ascii_key(64), nullable=False),
        Column("attempt_id", ascii_key(64)),
        Column("card_fingerprint", ascii_key(64)),
        Column("amount_minor", BigInteger),
        Column("currency", String(3)),
        Column("occurred_at", UtcDateTime, nullable=False),
        Column("received_at", UtcDateTime, nullable=False),
        UniqueConstraint("event_id"),
    )
