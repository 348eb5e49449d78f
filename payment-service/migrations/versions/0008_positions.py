"""Positions of events and ledger entries"""

from service_kit.db.columns import BigId
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import BigInteger, Column, ForeignKey, String, Text, UniqueConstraint

revision = "0008_positions"
down_revision = "0068"


def upgrade() -> None:
    create_table(
        "event_positions",
        Column("position", BigInteger, primary_key=True, autoincrement=False),
        Column("row_id", BigId, ForeignKey("payment_events.id"), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("type", String(40), nullable=False),
        UniqueConstraint("row_id"),
    )
    create_index("event_positions", "merchant_id", "position")
    create_index("event_positions", "merchant_id", "type", "position")

    create_table(
        "entry_positions",
        Column("position", BigInteger, primary_key=True, autoincrement=False),
        Column("row_id", BigId, ForeignKey("ledger_entries.id"), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("account", String(24), nullable=False),
        Column("kind", String(24), nullable=False),
        UniqueConstraint("row_id"),
    )
    create_index("entry_positions", "merchant_id", "position")
    create_index("entry_positions", "merchant_id", "account", "position")
    create_index("entry_positions", "merchant_id", "kind", "position")

    create_table(
        "sequences",
        Column("name", String(32), primary_key=True),
        Column("last_position", BigInteger, nullable=False),
        Column("seen_id", BigInteger, nullable=False),
        Column("gaps", Text, nullable=False),
    )
