"""Attempts: sales and automatic reversals"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "payment_attempts",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("public_id", ascii_key(64), nullable=False),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_payment_attempts_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column(
            "payment_id",
            BigId,
            sa.ForeignKey("payments.id", name="fk_payment_attempts_payment_id_payments"),
            nullable=False,
        ),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("claimed_from", sa.String(24), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reversal_of", ascii_key(64), nullable=True),
        sa.Column("form_key", ascii_key(64), nullable=True),
        sa.Column("card_fingerprint", ascii_key(64), nullable=True),
        sa.Column("card_bin", sa.String(6), nullable=True),
        sa.Column("card_last4", sa.String(4), nullable=True),
        sa.Column("fraud_decision", sa.String(16), nullable=True),
        sa.Column("fraud_reasons", sa.Text, nullable=True),
        sa.Column("decline_code", sa.String(40), nullable=True),
        sa.Column("authorization_code", sa.String(40), nullable=True),
        sa.Column("last_error", sa.String(255), nullable=True),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("send_before", UtcDateTime, nullable=False),
        sa.Column("next_ask_at", UtcDateTime, nullable=True),
        sa.Column("ask_count", sa.Integer, nullable=False),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("public_id", name="uq_payment_attempts_public_id"),
        sa.UniqueConstraint("reversal_of", name="uq_payment_attempts_reversal_of"),
        sa.UniqueConstraint("payment_id", "form_key", name="uq_payment_attempts_payment_id_form_key"),
    )


def downgrade() -> None:
    op.drop_table("payment_attempts")
