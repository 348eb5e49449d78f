"""By what a request to open a dispute is recognised when it comes again"""

import sqlalchemy as sa
from service_kit.columns import ascii_key
from service_kit.migration_steps import add_columns, drop_columns

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_columns(
        "disputes",
        sa.Column("request_id", ascii_key(64), nullable=True),
        sa.Column("fingerprint", ascii_key(64), nullable=True),
    )


def downgrade() -> None:
    drop_columns("disputes", "request_id", "fingerprint")
