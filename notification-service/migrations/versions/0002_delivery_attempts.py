"""The delivery log."""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("delivery_attempts"):
        return  # see 0001
    op.create_table(
        "delivery_attempts",
        sa.Column("id", BigId, nullable=False),
        sa.Column("notification_id", BigId, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("attempted_at", UtcDateTime, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_attempts"),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name="fk_delivery_attempts_notification_id_notifications",
        ),
        sa.Index("ix_delivery_attempts_notification_id", "notification_id"),
    )


def downgrade() -> None:
    op.drop_table("delivery_attempts")
