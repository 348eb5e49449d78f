"""Payments: no index on merchant_id, order_id, id, which sorted no list"""

from service_kit.migration_steps import create_index, drop_index

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    drop_index("ix_payments_merchant_id_order_id_id", "payments")


def downgrade() -> None:
    columns = ["merchant_id", "order_id", "id"]
    create_index("ix_payments_merchant_id_order_id_id", "payments", columns)
