"""Disputes"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import BigInteger, Column, ForeignKey, String, UniqueConstraint

# The id of the last revision of the set before this one: a database that has all of those is up to date.
revision = "0068"
down_revision = "0006_books"


def upgrade() -> None:
    create_table(
        "disputes",
        Column("id", BigId, primary_key=True),
        Column("public_id", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("payment_id", BigId, ForeignKey("payments.id"), nullable=False),
        Column("payment_public_id", ascii_key(64), nullable=False),
        Column("movement", ascii_key(64), nullable=False),
        Column("provider", String(32), nullable=False),
        Column("provider_dispute_id", ascii_key(64), nullable=False),
        Column("status", String(8), nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("reason", String(100)),
        Column("created_at", UtcDateTime, nullable=False),
        Column("closed_at", UtcDateTime),
        UniqueConstraint("public_id"),
        UniqueConstraint("provider", "provider_dispute_id"),
    )
    create_index("disputes", "merchant_id", "id")
    create_index("disputes", "merchant_id", "status", "id")
    create_index("disputes", "payment_public_id", "id")
    create_index("disputes", "payment_id", "id")
