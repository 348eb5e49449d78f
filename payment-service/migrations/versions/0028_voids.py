"""Voids"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "voids",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("public_id", ascii_key(64), nullable=False),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_voids_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column(
            "payment_id",
            BigId,
            sa.ForeignKey("payments.id", name="fk_voids_payment_id_payments"),
            nullable=False,
        ),
        sa.Column(
            "attempt_id",
            BigId,
            sa.ForeignKey("payment_attempts.id", name="fk_voids_attempt_id_payment_attempts"),
            nullable=False,
        ),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.Column("decline_code", sa.String(40), nullable=True),
        sa.Column("last_error", sa.String(255), nullable=True),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("send_before", UtcDateTime, nullable=False),
        sa.Column("next_ask_at", UtcDateTime, nullable=True),
        sa.Column("ask_count", sa.Integer, nullable=False),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("public_id", name="uq_voids_public_id"),
    )


def downgrade() -> None:
    op.drop_table("voids")
