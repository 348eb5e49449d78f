"""Payments: no index on merchant_id, status, id, which sorted no list"""

from service_kit.migration_steps import create_index, drop_index

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    drop_index("ix_payments_merchant_id_status_id", "payments")


def downgrade() -> None:
    create_index("ix_payments_merchant_id_status_id", "payments", ["merchant_id", "status", "id"])
