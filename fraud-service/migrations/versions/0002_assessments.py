"""Make the assessments, with an index for each velocity count."""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


INDEXES = {
    "ix_assessments_card": ["card_fingerprint", "is_counted", "assessed_at"],
    "ix_assessments_user": ["merchant_id", "user_id", "is_counted", "assessed_at"],
    "ix_assessments_ip": ["ip", "is_counted", "assessed_at"],
}


def upgrade() -> None:
    # A kill between two statements must not stop the next run: each asks first whether it was done.
    if not sa.inspect(op.get_bind()).has_table("assessments"):
        _create_table()
    existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("assessments")}
    for name, columns in INDEXES.items():
        if name not in existing:
            op.create_index(name, "assessments", columns)


def _create_table() -> None:
    user_id = sa.String(64).with_variant(
        mysql.VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
    )
    op.create_table(
        "assessments",
        sa.Column("id", BigId, nullable=False),
        sa.Column("assessment_id", ascii_key(32), nullable=False),
        sa.Column("attempt_id", ascii_key(64), nullable=False),
        sa.Column("assessed_at", UtcDateTime(), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("is_counted", sa.Boolean(), nullable=False),
        sa.Column("card_fingerprint", ascii_key(64), nullable=False),
        sa.Column("merchant_id", ascii_key(64), nullable=False),
        sa.Column("user_id", user_id, nullable=False),
        sa.Column("ip", ascii_key(64), nullable=True),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_assessments"),
        sa.UniqueConstraint("assessment_id", name="uq_assessments_assessment_id"),
        sa.UniqueConstraint("attempt_id", name="uq_assessments_attempt_id"),
    )


def downgrade() -> None:
    op.drop_table("assessments")
