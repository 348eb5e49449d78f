"""Disputes"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "disputes",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("public_id", ascii_key(64), nullable=False),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_disputes_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column(
            "payment_id",
            BigId,
            sa.ForeignKey("payments.id", name="fk_disputes_payment_id_payments"),
            nullable=False,
        ),
        sa.Column("payment_public_id", ascii_key(64), nullable=False),
        sa.Column("movement", ascii_key(64), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("provider_dispute_id", ascii_key(64), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reason", sa.String(100), nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("closed_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("public_id", name="uq_disputes_public_id"),
        sa.UniqueConstraint(
            "provider", "provider_dispute_id", name="uq_disputes_provider_provider_dispute_id"
        ),
    )


def downgrade() -> None:
    op.drop_table("disputes")
