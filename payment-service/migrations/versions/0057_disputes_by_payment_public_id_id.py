"""Disputes: index on payment_public_id, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_disputes_payment_public_id_id", "disputes", ["payment_public_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_disputes_payment_public_id_id", table_name="disputes")
