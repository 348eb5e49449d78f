"""Payments: the lists by user_id in their own order"""

from service_kit.migration_steps import create_index, drop_index

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_payments_merchant_id_user_id_created_at_id",
        "payments",
        ["merchant_id", "user_id", "created_at", "id"],
    )


def downgrade() -> None:
    drop_index("ix_payments_merchant_id_user_id_created_at_id", "payments")
