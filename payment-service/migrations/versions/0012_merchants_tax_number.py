"""Merchants: tax number, as receipts show it"""

import sqlalchemy as sa
from alembic import op
from service_kit.migration_steps import add_column

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_column(
        "merchants", sa.Column("tax_number", sa.String(64), nullable=False, server_default=sa.text("''"))
    )


def downgrade() -> None:
    op.drop_column("merchants", "tax_number")
