"""The deny list and the allow list"""

from service_kit.db.columns import BigId, UtcDateTime, exact_text
from service_kit.db.migrations import create_table
from sqlalchemy import Column, String, UniqueConstraint

revision = "0001_lists"
down_revision = None


def upgrade() -> None:
    create_table(
        "list_entries",
        Column("id", BigId, primary_key=True),
        Column("kind", String(16), nullable=False),
        Column("subject", String(16), nullable=False),
        Column("value", exact_text(160), nullable=False),
        Column("reason", String(200), nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        Column("created_by", String(64), nullable=False),
        Column("expires_at", UtcDateTime),
        UniqueConstraint("subject", "value", "kind"),
    )
