"""Payments: what the merchant says about them"""

import sqlalchemy as sa
from service_kit.columns import ascii_key
from service_kit.migration_steps import add_columns, drop_columns
from sqlalchemy.dialects import mysql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns(
        "payments",
        sa.Column("description", sa.String(500)),
        sa.Column("details", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")),
        sa.Column("return_url", sa.Text()),
        sa.Column("checkout_token", ascii_key(64)),
    )


def downgrade() -> None:
    drop_columns(
        "payments",
        "description",
        "details",
        "return_url",
        "checkout_token",
    )
