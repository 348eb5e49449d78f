"""Notifications, which are also the queue of letters."""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("notifications"):
        return  # a kill came between this step and its record: MySQL's DDL is not transactional
    op.create_table(
        "notifications",
        sa.Column("id", BigId, nullable=False),
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime, nullable=False),
        sa.Column("lease_id", sa.String(32), nullable=True),
        sa.Column("last_error", sa.Text, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("done_at", UtcDateTime, nullable=True),
        sa.Column("public_id", ascii_key(64), nullable=False),
        sa.Column("event_id", ascii_key(64), nullable=False),
        sa.Column("content_hash", ascii_key(64), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("locale", sa.String(2), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("accepted_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.UniqueConstraint("public_id", name="uq_notifications_public_id"),
        sa.UniqueConstraint("event_id", name="uq_notifications_event_id"),
        # Made with the table, so that a kill leaves both or neither.
        sa.Index("ix_notifications_queue_status_next_attempt_at", "queue", "status", "next_attempt_at"),
    )


def downgrade() -> None:
    op.drop_table("notifications")
