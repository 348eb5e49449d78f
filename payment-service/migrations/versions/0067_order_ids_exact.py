"""`A17` and `a17` are two orders: MySQL's default collation holds them for one"""

from service_kit.columns import exact_text
from service_kit.migration_steps import change_type
from sqlalchemy import String

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    change_type("payments", "order_id", exact_text(64), nullable=False)


def downgrade() -> None:
    change_type("payments", "order_id", String(64), nullable=False)
