"""Merchants: what receipts need, for those that were there before"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

merchants = sa.table(
    "merchants",
    sa.column("public_id", sa.String),
    sa.column("name", sa.String),
    sa.column("legal_name", sa.String),
    sa.column("address", sa.String),
    sa.column("tax_number", sa.String),
)


def upgrade() -> None:
    # Only what is still empty, so that running it again overwrites nobody's changes.
    untouched = merchants.c.legal_name == ""
    op.execute(
        merchants.update()
        .where(untouched, merchants.c.public_id == "mer_lab")
        .values(
            legal_name="Store Manager SARL",
            address="1, rue du Laboratoire\n20000 Casablanca\nMaroc",
            tax_number="IF 00000001",
        )
    )
    op.execute(merchants.update().where(untouched).values(legal_name=merchants.c.name))


def downgrade() -> None:
    """Nothing: the columns themselves are dropped by the revisions before."""
