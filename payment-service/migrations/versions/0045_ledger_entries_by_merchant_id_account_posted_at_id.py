"""The books: index on merchant_id, account, posted_at, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_ledger_entries_merchant_id_account_posted_at_id",
        "ledger_entries",
        ["merchant_id", "account", "posted_at", "id"],
    )


def downgrade() -> None:
    op.drop_index("ix_ledger_entries_merchant_id_account_posted_at_id", table_name="ledger_entries")
