"""Movements of a payment's money: attempts (sales and automatic reversals), and what may follow them"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, String, Text, UniqueConstraint

revision = "0003_movements"
down_revision = "0002_payments"


def upgrade() -> None:
    create_table(
        "payment_attempts",
        Column("id", BigId, primary_key=True),
        Column("public_id", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("payment_id", BigId, ForeignKey("payments.id"), nullable=False),
        Column("kind", String(16), nullable=False),
        Column("state", String(16), nullable=False),
        Column("claimed_from", String(24), nullable=False),
        Column("provider", String(32), nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("reversal_of", ascii_key(64)),
        Column("form_key", ascii_key(64)),
        Column("card_fingerprint", ascii_key(64)),
        Column("card_bin", String(6)),
        Column("card_last4", String(4)),
        Column("fraud_decision", String(16)),
        Column("fraud_reasons", Text),
        Column("decline_code", String(40)),
        Column("authorization_code", String(40)),
        Column("last_error", String(255)),
        Column("started_at", UtcDateTime, nullable=False),
        Column("send_before", UtcDateTime, nullable=False),
        Column("next_ask_at", UtcDateTime),
        Column("ask_count", Integer, nullable=False),
        Column("ended_at", UtcDateTime),
        Column("payment_method", ascii_key(64)),
        Column("three_ds_status", String(24)),
        Column("three_ds_eci", String(2)),
        Column("liability", String(16)),
        Column("next_action_url", Text),
        Column("return_token", ascii_key(64)),
        Column("held_at", UtcDateTime),
        UniqueConstraint("public_id"),
        UniqueConstraint("reversal_of"),
        UniqueConstraint("payment_id", "form_key"),
    )
    create_index("payment_attempts", "next_ask_at")
    create_index("payment_attempts", "payment_id", "id")
    create_index("payment_attempts", "return_token", unique=True)

    create_table(
        "captures",
        Column("id", BigId, primary_key=True),
        Column("public_id", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("payment_id", BigId, ForeignKey("payments.id"), nullable=False),
        Column("attempt_id", BigId, ForeignKey("payment_attempts.id"), nullable=False),
        Column("state", String(16), nullable=False),
        Column("provider", String(32), nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("is_final", Boolean, nullable=False),
        Column("decline_code", String(40)),
        Column("last_error", String(255)),
        Column("started_at", UtcDateTime, nullable=False),
        Column("send_before", UtcDateTime, nullable=False),
        Column("next_ask_at", UtcDateTime),
        Column("ask_count", Integer, nullable=False),
        Column("ended_at", UtcDateTime),
        UniqueConstraint("public_id"),
    )
    create_index("captures", "next_ask_at")
    create_index("captures", "payment_id", "id")

    create_table(
        "voids",
        Column("id", BigId, primary_key=True),
        Column("public_id", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("payment_id", BigId, ForeignKey("payments.id"), nullable=False),
        Column("attempt_id", BigId, ForeignKey("payment_attempts.id"), nullable=False),
        Column("state", String(16), nullable=False),
        Column("provider", String(32), nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("purpose", String(16), nullable=False),
        Column("reason", String(500)),
        Column("decline_code", String(40)),
        Column("last_error", String(255)),
        Column("started_at", UtcDateTime, nullable=False),
        Column("send_before", UtcDateTime, nullable=False),
        Column("next_ask_at", UtcDateTime),
        Column("ask_count", Integer, nullable=False),
        Column("ended_at", UtcDateTime),
        UniqueConstraint("public_id"),
    )
    create_index("voids", "next_ask_at")
    create_index("voids", "payment_id", "id")

    create_table(
        "refunds",
        Column("id", BigId, primary_key=True),
        Column("public_id", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("payment_id", BigId, ForeignKey("payments.id"), nullable=False),
        Column("attempt_id", BigId, ForeignKey("payment_attempts.id"), nullable=False),
        Column("state", String(16), nullable=False),
        Column("provider", String(32), nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", String(3), nullable=False),
        Column("reason", String(500)),
        Column("decline_code", String(40)),
        Column("last_error", String(255)),
        Column("started_at", UtcDateTime, nullable=False),
        Column("send_before", UtcDateTime, nullable=False),
        Column("next_ask_at", UtcDateTime),
        Column("ask_count", Integer, nullable=False),
        Column("ended_at", UtcDateTime),
        UniqueConstraint("public_id"),
    )
    create_index("refunds", "next_ask_at")
    create_index("refunds", "payment_id", "id")
    create_index("refunds", "merchant_id", "id")
