"""Merchants: legal name, as receipts show it"""

import sqlalchemy as sa
from alembic import op
from service_kit.migration_steps import add_column

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_column(
        "merchants", sa.Column("legal_name", sa.String(200), nullable=False, server_default=sa.text("''"))
    )


def downgrade() -> None:
    op.drop_column("merchants", "legal_name")
