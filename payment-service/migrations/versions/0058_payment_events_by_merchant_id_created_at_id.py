"""Payment events: an index for the list of a merchant"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = ["merchant_id", "created_at", "id"]
    create_index("ix_payment_events_merchant_id_created_at_id", "payment_events", columns)


def downgrade() -> None:
    op.drop_index("ix_payment_events_merchant_id_created_at_id", table_name="payment_events")
