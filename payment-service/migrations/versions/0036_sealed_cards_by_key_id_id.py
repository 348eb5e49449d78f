"""Sealed cards: index on key_id, id"""

from alembic import op
from service_kit.migration_steps import create_index

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_sealed_cards_key_id_id", "sealed_cards", ["key_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_sealed_cards_key_id_id", table_name="sealed_cards")
