"""The books: entries"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "ledger_entries",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("public_id", ascii_key(64), nullable=False),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_ledger_entries_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column("account", sa.String(24), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column(
            "payment_id",
            BigId,
            sa.ForeignKey("payments.id", name="fk_ledger_entries_payment_id_payments"),
            nullable=False,
        ),
        sa.Column("source", ascii_key(64), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("posted_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("public_id", name="uq_ledger_entries_public_id"),
        sa.UniqueConstraint("source", "kind", "account", name="uq_ledger_entries_source_kind_account"),
    )


def downgrade() -> None:
    op.drop_table("ledger_entries")
