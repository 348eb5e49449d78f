"""Payments: one for each checkout token"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_payments_checkout_token", "payments", ["checkout_token"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_payments_checkout_token", table_name="payments")
