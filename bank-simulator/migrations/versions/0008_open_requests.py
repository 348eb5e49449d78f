"""Requests that wait for the cardholder or for the bank, and disputed money"""

import sqlalchemy as sa
from service_kit.columns import UtcDateTime, ascii_key
from service_kit.migration_steps import add_columns, drop_columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = (
    sa.Column("authentication_status", sa.String(32), nullable=True),
    sa.Column("eci", ascii_key(2), nullable=True),
    sa.Column("due_at", UtcDateTime, nullable=True),
    sa.Column("decision", sa.String(32), nullable=True),
    sa.Column("acs_token", ascii_key(43), nullable=True),
    sa.Column("return_url", sa.Text, nullable=True),
    sa.Column("wrong_codes", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("disputed_minor", sa.BigInteger, nullable=False, server_default=sa.text("0")),
)


def upgrade() -> None:
    add_columns("network_requests", *COLUMNS)


def downgrade() -> None:
    drop_columns("network_requests", *(column.name for column in COLUMNS))
