"""Sealed cards, and the payment methods that are stored for customers"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, exact_text
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import Column, ForeignKey, Integer, String, UniqueConstraint

revision = "0005_cards"
down_revision = "0004_events_and_messages"


def upgrade() -> None:
    create_table(
        "sealed_cards",
        Column("id", BigId, primary_key=True),
        Column("owner", ascii_key(64), nullable=False),
        Column("purpose", String(24), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("key_id", ascii_key(32), nullable=False),
        Column("wrapped_key", String(100), nullable=False),
        Column("sealed", String(255), nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        UniqueConstraint("owner"),
    )
    create_index("sealed_cards", "key_id", "id")

    create_table(
        "payment_methods",
        Column("id", BigId, primary_key=True),
        Column("public_id", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("customer_id", exact_text(64)),
        Column("card_brand", String(16), nullable=False),
        Column("card_bin", String(6), nullable=False),
        Column("card_last4", String(4), nullable=False),
        Column("exp_month", Integer, nullable=False),
        Column("exp_year", Integer, nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        Column("detached_at", UtcDateTime),
        UniqueConstraint("public_id"),
    )
    create_index("payment_methods", "merchant_id", "detached_at", "id")
    create_index("payment_methods", "merchant_id", "customer_id", "detached_at", "id")
