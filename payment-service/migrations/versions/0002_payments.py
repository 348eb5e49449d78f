"""Payments"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "payments",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("public_id", ascii_key(64), nullable=False),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_payments_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column("surface", sa.String(16), nullable=False),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("receipt_email", sa.String(254), nullable=True),
        sa.Column("receipt_locale", sa.String(8), nullable=False),
        sa.Column("event_count", sa.Integer, nullable=False),
        sa.Column("event_head", ascii_key(64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=True),
        sa.Column("paid_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("public_id", name="uq_payments_public_id"),
    )


def downgrade() -> None:
    op.drop_table("payments")
