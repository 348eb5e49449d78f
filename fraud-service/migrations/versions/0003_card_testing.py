"""What became of each attempt, and indexes by which the cards that did not pay are counted"""

from service_kit.db.columns import ascii_key
from service_kit.db.migrations import add_column, create_index, drop_index
from sqlalchemy import Column, String

revision = "0003_card_testing"
down_revision = "0003"


def upgrade() -> None:
    # Attempts from before have none: the limits begin to count with the next one.
    add_column("assessments", Column("bin", ascii_key(6)))
    add_column("assessments", Column("result", String(16)))
    add_column("outcomes", Column("decline_code", String(40)))

    card = ("card_fingerprint", "is_counted", "assessed_at", "merchant_id", "result")
    ip = ("merchant_id", "ip", "is_counted", "assessed_at", "result", "card_fingerprint")
    bin_ = ("merchant_id", "bin", "result", "assessed_at", "card_fingerprint")
    create_index("assessments", *card, name="ix_assessments_card_tries")
    create_index("assessments", *ip, name="ix_assessments_ip_tries")
    create_index("assessments", *bin_, name="ix_assessments_bin_tries")
    drop_index("assessments", "ix_assessments_card")
    drop_index("assessments", "ix_assessments_ip")
