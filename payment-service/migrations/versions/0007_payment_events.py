"""Events, chained"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "payment_events",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("public_id", ascii_key(64), nullable=False),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_payment_events_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column(
            "payment_id",
            BigId,
            sa.ForeignKey("payments.id", name="fk_payment_events_payment_id_payments"),
            nullable=False,
        ),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("mac", ascii_key(64), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("public_id", name="uq_payment_events_public_id"),
        sa.UniqueConstraint("payment_id", "sequence", name="uq_payment_events_payment_id_sequence"),
    )


def downgrade() -> None:
    op.drop_table("payment_events")
