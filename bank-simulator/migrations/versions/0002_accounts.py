"""Accounts"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, ascii_key

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("accounts"):
        return
    op.create_table(
        "accounts",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("owner", ascii_key(64), nullable=False),
        sa.Column("currency", ascii_key(3), nullable=False),
        sa.Column("bank", sa.String(32), nullable=False),
        sa.Column("balance_minor", sa.BigInteger, nullable=True),
        sa.UniqueConstraint("kind", "owner", "currency", name="uq_accounts_kind_owner_currency"),
    )


def downgrade() -> None:
    op.drop_table("accounts")
