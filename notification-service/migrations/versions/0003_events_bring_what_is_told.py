"""Notifications come with their events: no request of their own to compare with"""

from service_kit.db.migrations import drop_column

revision = "0003_events_bring_what_is_told"
down_revision = "0003"


def upgrade() -> None:
    drop_column("notifications", "content_hash")
