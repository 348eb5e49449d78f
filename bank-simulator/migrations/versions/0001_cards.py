"""Cards"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, ascii_key

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("cards"):
        return
    op.create_table(
        "cards",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("number", ascii_key(19), nullable=False),
        sa.Column("bank", sa.String(32), nullable=False),
        sa.Column("exp_year", sa.Integer, nullable=False),
        sa.Column("exp_month", sa.Integer, nullable=False),
        sa.Column("cvv_hash", ascii_key(64), nullable=False),
        sa.Column("manner", sa.String(32), nullable=False),
        sa.Column("opening_minor", sa.BigInteger, nullable=True),
        sa.UniqueConstraint("number", name="uq_cards_number"),
    )


def downgrade() -> None:
    op.drop_table("cards")
