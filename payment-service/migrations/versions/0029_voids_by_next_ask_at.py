"""Voids: index on next_ask_at"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_voids_next_ask_at", "voids", ["next_ask_at"])


def downgrade() -> None:
    op.drop_index("ix_voids_next_ask_at", table_name="voids")
