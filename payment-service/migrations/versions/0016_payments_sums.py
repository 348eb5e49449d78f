"""Payments: how they are captured, and what was moved"""

import sqlalchemy as sa
from service_kit.migration_steps import add_columns, drop_columns

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns(
        "payments",
        sa.Column("capture_method", sa.String(16), nullable=False, server_default=sa.text("'automatic'")),
        sa.Column("authorized_minor", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("captured_minor", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("capturing_minor", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("refunding_minor", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("disputed_minor", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("charged_back_minor", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )


def downgrade() -> None:
    drop_columns(
        "payments",
        "capture_method",
        "authorized_minor",
        "captured_minor",
        "capturing_minor",
        "refunded_minor",
        "refunding_minor",
        "disputed_minor",
        "charged_back_minor",
    )
