"""Attempts: sales and automatic reversals: index on payment_id, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_payment_attempts_payment_id_id", "payment_attempts", ["payment_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_payment_attempts_payment_id_id", table_name="payment_attempts")
