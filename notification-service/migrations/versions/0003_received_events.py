"""Events of payments."""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "received_events",
        sa.Column("id", BigId, nullable=False),
        sa.Column("event_id", ascii_key(64), nullable=False),
        sa.Column("merchant_id", ascii_key(64), nullable=False),
        sa.Column("payment_id", ascii_key(64), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("occurred_at", UtcDateTime, nullable=False),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_received_events"),
        sa.UniqueConstraint("event_id", name="uq_received_events_event_id"),
    )


def downgrade() -> None:
    op.drop_table("received_events")
