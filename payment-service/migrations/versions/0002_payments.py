"""Payments"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, exact_text
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.dialects import mysql

revision = "0002_payments"
down_revision = "0001_merchants_and_access"


def upgrade() -> None:
    create_table(
        "payments",
        Column("id", BigId, primary_key=True),
        Column("public_id", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("surface", String(16), nullable=False),
        Column("order_id", exact_text(64), nullable=False),
        Column("user_id", exact_text(64), nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("status", String(24), nullable=False),
        Column("receipt_email", String(254)),
        Column("receipt_locale", String(8), nullable=False),
        Column("event_count", Integer, nullable=False),
        Column("event_head", ascii_key(64), nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        Column("expires_at", UtcDateTime),
        Column("paid_at", UtcDateTime),
        Column("capture_method", String(16), nullable=False, server_default=text("'automatic'")),
        Column("authorized_minor", BigInteger, nullable=False, server_default=text("0")),
        Column("captured_minor", BigInteger, nullable=False, server_default=text("0")),
        Column("capturing_minor", BigInteger, nullable=False, server_default=text("0")),
        Column("refunded_minor", BigInteger, nullable=False, server_default=text("0")),
        Column("refunding_minor", BigInteger, nullable=False, server_default=text("0")),
        Column("disputed_minor", BigInteger, nullable=False, server_default=text("0")),
        Column("charged_back_minor", BigInteger, nullable=False, server_default=text("0")),
        Column("description", String(500)),
        Column("details", Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")),
        Column("return_url", Text),
        Column("checkout_token", ascii_key(64)),
        Column("payable_until", UtcDateTime),
        UniqueConstraint("public_id"),
    )
    create_index("payments", "status", "expires_at")
    create_index("payments", "checkout_token", unique=True)
    create_index("payments", "merchant_id", "created_at", "id")
    create_index("payments", "merchant_id", "status", "created_at", "id")
    create_index("payments", "merchant_id", "order_id", "created_at", "id")
    create_index("payments", "merchant_id", "user_id", "created_at", "id")
