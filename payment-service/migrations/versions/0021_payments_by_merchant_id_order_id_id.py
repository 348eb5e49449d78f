"""Payments: index on merchant_id, order_id, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_payments_merchant_id_order_id_id", "payments", ["merchant_id", "order_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_payments_merchant_id_order_id_id", table_name="payments")
