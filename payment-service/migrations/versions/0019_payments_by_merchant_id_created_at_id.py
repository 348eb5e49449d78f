"""Payments: index on merchant_id, created_at, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_payments_merchant_id_created_at_id", "payments", ["merchant_id", "created_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_payments_merchant_id_created_at_id", table_name="payments")
