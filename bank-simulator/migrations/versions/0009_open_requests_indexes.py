"""Finding an open request by its challenge, and those that are due"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_network_requests_due_at", "network_requests", ["due_at"])
    create_index("ix_network_requests_acs_token", "network_requests", ["acs_token"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_network_requests_acs_token", "network_requests")
    op.drop_index("ix_network_requests_due_at", "network_requests")
