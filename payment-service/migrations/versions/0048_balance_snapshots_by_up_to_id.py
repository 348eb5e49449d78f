"""The books: index on up_to_id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_balance_snapshots_up_to_id", "balance_snapshots", ["up_to_id"])


def downgrade() -> None:
    op.drop_index("ix_balance_snapshots_up_to_id", table_name="balance_snapshots")
