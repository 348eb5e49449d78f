"""Refunds: index on next_ask_at"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_refunds_next_ask_at", "refunds", ["next_ask_at"])


def downgrade() -> None:
    op.drop_index("ix_refunds_next_ask_at", table_name="refunds")
