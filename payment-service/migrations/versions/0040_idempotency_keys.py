"""Idempotency keys"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table
from sqlalchemy.dialects import mysql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "idempotency_keys",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("key_hash", ascii_key(64), nullable=False),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_idempotency_keys_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column("fingerprint", ascii_key(64), nullable=False),
        sa.Column("resource_id", ascii_key(64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("leased_until", UtcDateTime, nullable=False),
        sa.Column("answer_status", sa.SmallInteger, nullable=True),
        sa.Column(
            "answer_body",
            sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"),
            nullable=True,
        ),
        sa.Column("answer_content_type", sa.String(100), nullable=True),
        sa.Column("answer_location", sa.String(255), nullable=True),
        sa.Column("answer_retry_after_s", sa.Integer, nullable=True),
        sa.UniqueConstraint("key_hash", name="uq_idempotency_keys_key_hash"),
    )


def downgrade() -> None:
    op.drop_table("idempotency_keys")
