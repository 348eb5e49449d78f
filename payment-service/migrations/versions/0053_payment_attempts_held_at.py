"""Attempts: since when they wait for a review"""

import sqlalchemy as sa
from service_kit.columns import UtcDateTime
from service_kit.migration_steps import add_columns, drop_columns

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns("payment_attempts", sa.Column("held_at", UtcDateTime))


def downgrade() -> None:
    drop_columns("payment_attempts", "held_at")
