"""Refunds: index on payment_id, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_refunds_payment_id_id", "refunds", ["payment_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_refunds_payment_id_id", table_name="refunds")
