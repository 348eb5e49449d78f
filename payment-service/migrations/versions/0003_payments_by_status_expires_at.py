"""Payments: index on status, expires_at"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_payments_status_expires_at", "payments", ["status", "expires_at"])


def downgrade() -> None:
    op.drop_index("ix_payments_status_expires_at", table_name="payments")
