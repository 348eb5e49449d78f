"""Payments: the lists by order_id in their own order"""

from service_kit.migration_steps import create_index, drop_index

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_payments_merchant_id_order_id_created_at_id",
        "payments",
        ["merchant_id", "order_id", "created_at", "id"],
    )


def downgrade() -> None:
    drop_index("ix_payments_merchant_id_order_id_created_at_id", "payments")
