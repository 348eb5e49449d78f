"""Disputes: index on payment_id, id"""

from service_kit.migration_steps import create_index, drop_index

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_disputes_payment_id_id", "disputes", ["payment_id", "id"])


def downgrade() -> None:
    drop_index("ix_disputes_payment_id_id", "disputes")
