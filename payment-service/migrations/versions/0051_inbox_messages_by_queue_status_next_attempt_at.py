"""The inbox: index on queue, status, next_attempt_at"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index(
        "ix_inbox_messages_queue_status_next_attempt_at",
        "inbox_messages",
        ["queue", "status", "next_attempt_at"],
    )


def downgrade() -> None:
    op.drop_index("ix_inbox_messages_queue_status_next_attempt_at", table_name="inbox_messages")
