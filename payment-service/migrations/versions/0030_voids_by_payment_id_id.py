"""Voids: index on payment_id, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_voids_payment_id_id", "voids", ["payment_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_voids_payment_id_id", table_name="voids")
