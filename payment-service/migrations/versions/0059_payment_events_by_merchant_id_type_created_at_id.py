"""Payment events: an index for the list of a merchant, by type"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = ["merchant_id", "type", "created_at", "id"]
    create_index("ix_payment_events_merchant_id_type_created_at_id", "payment_events", columns)


def downgrade() -> None:
    op.drop_index("ix_payment_events_merchant_id_type_created_at_id", table_name="payment_events")
