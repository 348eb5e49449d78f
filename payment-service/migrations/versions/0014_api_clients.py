"""API clients"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key
from service_kit.migration_steps import create_table

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "api_clients",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("client_id", ascii_key(64), nullable=False),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_api_clients_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("scopes", sa.String(500), nullable=False),
        sa.Column("secret_hash", ascii_key(64), nullable=False),
        sa.Column("previous_secret_hash", ascii_key(64), nullable=True),
        sa.Column("previous_expires_at", UtcDateTime, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("disabled_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("client_id", name="uq_api_clients_client_id"),
    )


def downgrade() -> None:
    op.drop_table("api_clients")
