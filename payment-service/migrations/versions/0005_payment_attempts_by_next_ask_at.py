"""Attempts: sales and automatic reversals: index on next_ask_at"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_payment_attempts_next_ask_at", "payment_attempts", ["next_ask_at"])


def downgrade() -> None:
    op.drop_index("ix_payment_attempts_next_ask_at", table_name="payment_attempts")
