"""What a card's bank does in 3-D Secure"""

import sqlalchemy as sa
from alembic import op
from service_kit.migration_steps import add_column

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column(
        "cardholder_check", sa.String(32), nullable=False, server_default=sa.text("'risk_based'")
    )
    add_column("cards", column)


def downgrade() -> None:
    op.drop_column("cards", "cardholder_check")
