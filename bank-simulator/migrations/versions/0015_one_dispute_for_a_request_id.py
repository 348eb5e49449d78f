"""One dispute for a request id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_disputes_request_id", "disputes", ["request_id"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_disputes_request_id", "disputes")
