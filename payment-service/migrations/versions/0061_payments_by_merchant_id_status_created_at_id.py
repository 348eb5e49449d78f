"""Payments: the lists by status in their own order"""

from service_kit.migration_steps import create_index, drop_index

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_payments_merchant_id_status_created_at_id",
        "payments",
        ["merchant_id", "status", "created_at", "id"],
    )


def downgrade() -> None:
    drop_index("ix_payments_merchant_id_status_created_at_id", "payments")
