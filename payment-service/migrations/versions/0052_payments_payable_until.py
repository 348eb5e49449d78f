"""Payments: until when they can be paid, while expires_at says when somebody must have acted"""

import sqlalchemy as sa
from service_kit.columns import UtcDateTime
from service_kit.migration_steps import add_columns, drop_columns

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns("payments", sa.Column("payable_until", UtcDateTime))


def downgrade() -> None:
    drop_columns("payments", "payable_until")
