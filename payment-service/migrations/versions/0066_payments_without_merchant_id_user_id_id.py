"""Payments: no index on merchant_id, user_id, id, which sorted no list"""

from service_kit.migration_steps import create_index, drop_index

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    drop_index("ix_payments_merchant_id_user_id_id", "payments")


def downgrade() -> None:
    create_index("ix_payments_merchant_id_user_id_id", "payments", ["merchant_id", "user_id", "id"])
