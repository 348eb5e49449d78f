"""What became of the money."""

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
        "outcomes",
        sa.Column("id", BigId, nullable=False),
        sa.Column("event_id", ascii_key(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("merchant_id", ascii_key(64), nullable=False),
        sa.Column("payment_id", ascii_key(64), nullable=False),
        sa.Column("attempt_id", ascii_key(64), nullable=True),
        sa.Column("card_fingerprint", ascii_key(64), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outcomes"),
        sa.UniqueConstraint("event_id", name="uq_outcomes_event_id"),
    )


def downgrade() -> None:
    op.drop_table("outcomes")
