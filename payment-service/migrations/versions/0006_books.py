"""The books: entries, and snapshots of balances"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import BigInteger, Column, ForeignKey, String, UniqueConstraint

revision = "0006_books"
down_revision = "0005_cards"


def upgrade() -> None:
    create_table(
        "ledger_entries",
        Column("id", BigId, primary_key=True),
        Column("public_id", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("account", String(24), nullable=False),
        Column("provider", String(32), nullable=False),
        Column("currency", String(3), nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("payment_id", BigId, ForeignKey("payments.id"), nullable=False),
        Column("source", ascii_key(64), nullable=False),
        Column("kind", String(24), nullable=False),
        Column("posted_at", UtcDateTime, nullable=False),
        UniqueConstraint("public_id"),
        UniqueConstraint("source", "kind", "account"),
    )
    create_index("ledger_entries", "payment_id", "id")
    create_index("ledger_entries", "merchant_id", "posted_at", "id")
    create_index("ledger_entries", "merchant_id", "account", "posted_at", "id")
    create_index("ledger_entries", "merchant_id", "kind", "posted_at", "id")

    create_table(
        "balance_snapshots",
        Column("id", BigId, primary_key=True),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("account", String(24), nullable=False),
        Column("provider", String(32), nullable=False),
        Column("currency", String(3), nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("up_to_id", BigInteger, nullable=False),
        Column("taken_at", UtcDateTime, nullable=False),
        UniqueConstraint("merchant_id", "account", "provider", "currency"),
    )
    create_index("balance_snapshots", "up_to_id")
