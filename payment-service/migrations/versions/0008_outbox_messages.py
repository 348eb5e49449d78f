"""The outbox"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "outbox_messages",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", UtcDateTime, nullable=False),
        sa.Column("lease_id", sa.String(32), nullable=True),
        sa.Column("last_error", sa.Text, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("done_at", UtcDateTime, nullable=True),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_outbox_messages_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column("event_id", ascii_key(64), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.UniqueConstraint("queue", "event_id", name="uq_outbox_messages_queue_event_id"),
    )


def downgrade() -> None:
    op.drop_table("outbox_messages")
