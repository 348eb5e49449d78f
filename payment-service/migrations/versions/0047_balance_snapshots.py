"""The books: snapshots of balances"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime
from service_kit.migration_steps import create_table

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "balance_snapshots",
        sa.Column("id", BigId, primary_key=True),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_balance_snapshots_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column("account", sa.String(24), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("up_to_id", sa.BigInteger, nullable=False),
        sa.Column("taken_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint(
            "merchant_id",
            "account",
            "provider",
            "currency",
            name="uq_balance_snapshots_merchant_id_account_provider_currency",
        ),
    )


def downgrade() -> None:
    op.drop_table("balance_snapshots")
