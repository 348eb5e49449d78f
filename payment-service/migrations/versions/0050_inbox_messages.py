"""The inbox of what providers tell us"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "inbox_messages",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("event_id", ascii_key(128), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(24), nullable=True),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime, nullable=False),
        sa.Column("lease_id", sa.String(32), nullable=True),
        sa.Column("last_error", sa.Text, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("done_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("queue", "event_id", name="uq_inbox_messages_queue_event_id"),
    )


def downgrade() -> None:
    op.drop_table("inbox_messages")
