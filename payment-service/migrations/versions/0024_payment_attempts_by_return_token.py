"""Attempts: one for each return token"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_payment_attempts_return_token", "payment_attempts", ["return_token"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_payment_attempts_return_token", table_name="payment_attempts")
