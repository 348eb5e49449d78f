"""Disputes"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_index, create_table

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "disputes",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("dispute_id", ascii_key(64), nullable=False),
        sa.Column("original_row_id", BigId, nullable=False),
        sa.Column("original_request_id", ascii_key(64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", ascii_key(3), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("closed_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("dispute_id", name="uq_disputes_dispute_id"),
        sa.ForeignKeyConstraint(
            ["original_row_id"], ["network_requests.id"], name="fk_disputes_original_row_id_network_requests"
        ),
    )
    create_index("ix_disputes_original_row_id", "disputes", ["original_row_id"])


def downgrade() -> None:
    op.drop_table("disputes")
