"""Payment methods: index on merchant_id, detached_at, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_payment_methods_merchant_id_detached_at_id",
        "payment_methods",
        ["merchant_id", "detached_at", "id"],
    )


def downgrade() -> None:
    op.drop_index("ix_payment_methods_merchant_id_detached_at_id", table_name="payment_methods")
