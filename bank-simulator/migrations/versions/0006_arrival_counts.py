"""Arrival counts"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import ascii_key

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("arrival_counts"):
        return
    op.create_table(
        "arrival_counts",
        sa.Column("operation", ascii_key(16), primary_key=True),
        sa.Column("request_id", ascii_key(64), primary_key=True),
        sa.Column("arrivals", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("arrival_counts")
