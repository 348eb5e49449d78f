"""Which dispute an entry of the ledger belongs to

Without a foreign key: SQLite would have to write the whole ledger anew for it.
"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId
from service_kit.migration_steps import add_column, create_index, drop_columns

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_column("entries", sa.Column("dispute_row_id", BigId, nullable=True))
    create_index("ix_entries_dispute_row_id", "entries", ["dispute_row_id"])


def downgrade() -> None:
    op.drop_index("ix_entries_dispute_row_id", "entries")
    drop_columns("entries", "dispute_row_id")
