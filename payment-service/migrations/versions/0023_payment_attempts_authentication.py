"""Attempts: stored cards and 3-D Secure"""

import sqlalchemy as sa
from service_kit.columns import ascii_key
from service_kit.migration_steps import add_columns, drop_columns

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns(
        "payment_attempts",
        sa.Column("payment_method", ascii_key(64)),
        sa.Column("three_ds_status", sa.String(24)),
        sa.Column("three_ds_eci", sa.String(2)),
        sa.Column("liability", sa.String(16)),
        sa.Column("next_action_url", sa.Text()),
        sa.Column("return_token", ascii_key(64)),
    )


def downgrade() -> None:
    drop_columns(
        "payment_attempts",
        "payment_method",
        "three_ds_status",
        "three_ds_eci",
        "liability",
        "next_action_url",
        "return_token",
    )
