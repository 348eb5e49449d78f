"""Disputes: index on merchant_id, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_disputes_merchant_id_id", "disputes", ["merchant_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_disputes_merchant_id_id", table_name="disputes")
