"""Customers are told apart letter by letter, as orders are"""

from service_kit.columns import exact_text
from service_kit.migration_steps import change_type
from sqlalchemy import String

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    change_type("payments", "user_id", exact_text(64), nullable=False)


def downgrade() -> None:
    change_type("payments", "user_id", String(64), nullable=False)
