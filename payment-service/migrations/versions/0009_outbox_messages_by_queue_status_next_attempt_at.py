"""The outbox: index on queue, status, next_attempt_at"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_outbox_messages_queue_status_next_attempt_at",
        "outbox_messages",
        ["queue", "status", "next_attempt_at"],
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_messages_queue_status_next_attempt_at", table_name="outbox_messages")
