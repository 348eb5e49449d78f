"""Sealed cards"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "sealed_cards",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("owner", ascii_key(64), nullable=False),
        sa.Column("purpose", sa.String(24), nullable=False),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_sealed_cards_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column("key_id", ascii_key(32), nullable=False),
        sa.Column("wrapped_key", sa.String(100), nullable=False),
        sa.Column("sealed", sa.String(255), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("owner", name="uq_sealed_cards_owner"),
    )


def downgrade() -> None:
    op.drop_table("sealed_cards")
