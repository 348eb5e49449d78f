"""The books: index on payment_id, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_ledger_entries_payment_id_id", "ledger_entries", ["payment_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_ledger_entries_payment_id_id", table_name="ledger_entries")
