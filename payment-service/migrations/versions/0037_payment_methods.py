"""Payment methods"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key, exact_text
from service_kit.migration_steps import create_table

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "payment_methods",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("public_id", ascii_key(64), nullable=False),
        sa.Column(
            "merchant_id",
            BigId,
            sa.ForeignKey("merchants.id", name="fk_payment_methods_merchant_id_merchants"),
            nullable=False,
        ),
        sa.Column("customer_id", exact_text(64), nullable=True),
        sa.Column("card_brand", sa.String(16), nullable=False),
        sa.Column("card_bin", sa.String(6), nullable=False),
        sa.Column("card_last4", sa.String(4), nullable=False),
        sa.Column("exp_month", sa.Integer, nullable=False),
        sa.Column("exp_year", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("detached_at", UtcDateTime, nullable=True),
        sa.UniqueConstraint("public_id", name="uq_payment_methods_public_id"),
    )


def downgrade() -> None:
    op.drop_table("payment_methods")
