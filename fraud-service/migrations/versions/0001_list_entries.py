"""Make the deny list and the allow list."""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A kill between the table and Alembic's own note of it must not stop the next run.
    if sa.inspect(op.get_bind()).has_table("list_entries"):
        return
    value = sa.String(160).with_variant(
        mysql.VARCHAR(160, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
    )
    op.create_table(
        "list_entries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("value", value, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_list_entries"),
        sa.UniqueConstraint("subject", "value", "kind", name="uq_list_entries_subject_value_kind"),
    )


def downgrade() -> None:
    op.drop_table("list_entries")
