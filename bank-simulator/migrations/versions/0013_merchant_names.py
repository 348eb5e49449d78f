"""How a merchant is called on the challenge's page"""

import sqlalchemy as sa
from service_kit.migration_steps import add_column, drop_columns

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_column("network_requests", sa.Column("merchant_name", sa.String(200), nullable=True))


def downgrade() -> None:
    drop_columns("network_requests", "merchant_name")
