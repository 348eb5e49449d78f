"""Entries"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("entries"):
        return
    op.create_table(
        "entries",
        sa.Column("id", BigId, primary_key=True),
        sa.Column(
            "request_row_id",
            BigId,
            sa.ForeignKey("network_requests.id", name="fk_entries_request_row_id_network_requests"),
            nullable=True,
            index=True,
        ),
        sa.Column(
            "account_id",
            BigId,
            sa.ForeignKey("accounts.id", name="fk_entries_account_id_accounts"),
            nullable=False,
            index=True,
        ),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("entries")
