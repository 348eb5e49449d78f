"""What the network was asked, what was disputed of it, and the entries of both in the accounts"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Text, UniqueConstraint, text

revision = "0002_network_requests"
down_revision = "0001_cards_and_accounts"


def upgrade() -> None:
    create_table(
        "network_requests",
        Column("id", BigId, primary_key=True),
        Column("request_id", ascii_key(64), nullable=False),
        Column("kind", String(32)),
        Column("status", String(32), nullable=False),
        Column("decline_code", String(32)),
        Column("fingerprint", ascii_key(64)),
        Column("authorization_code", ascii_key(6)),
        Column("amount_minor", BigInteger),
        Column("currency", ascii_key(3)),
        Column("merchant_id", ascii_key(64)),
        Column("order_id", ascii_key(64)),
        Column("card_id", BigId, ForeignKey("cards.id")),
        Column("original_row_id", BigId, ForeignKey("network_requests.id")),
        Column("released_minor", BigInteger, nullable=False),
        Column("processed_at", UtcDateTime, nullable=False),
        Column("holding", String(32)),
        Column("held_minor", BigInteger, nullable=False),
        Column("captured_minor", BigInteger, nullable=False),
        Column("refunded_minor", BigInteger, nullable=False),
        Column("authentication_status", String(32)),
        Column("eci", ascii_key(2)),
        Column("due_at", UtcDateTime),
        Column("decision", String(32)),
        Column("acs_token", ascii_key(43)),
        Column("return_url", Text),
        Column("wrong_codes", Integer, nullable=False, server_default=text("0")),
        Column("disputed_minor", BigInteger, nullable=False, server_default=text("0")),
        Column("merchant_name", String(200)),
        UniqueConstraint("request_id"),
    )
    create_index("network_requests", "merchant_id")
    create_index("network_requests", "original_row_id")
    create_index("network_requests", "due_at")
    create_index("network_requests", "acs_token", unique=True)

    create_table(
        "disputes",
        Column("id", BigId, primary_key=True),
        Column("dispute_id", ascii_key(64), nullable=False),
        Column("original_row_id", BigId, ForeignKey("network_requests.id"), nullable=False),
        Column("original_request_id", ascii_key(64), nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", ascii_key(3), nullable=False),
        Column("reason", String(32), nullable=False),
        Column("status", String(8), nullable=False),
        Column("opened_at", UtcDateTime, nullable=False),
        Column("closed_at", UtcDateTime),
        Column("request_id", ascii_key(64)),
        Column("fingerprint", ascii_key(64)),
        UniqueConstraint("dispute_id"),
    )
    create_index("disputes", "original_row_id")
    create_index("disputes", "request_id", unique=True)

    create_table(
        "entries",
        Column("id", BigId, primary_key=True),
        Column("request_row_id", BigId, ForeignKey("network_requests.id")),
        Column("account_id", BigId, ForeignKey("accounts.id"), nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("dispute_row_id", BigId),
    )
    create_index("entries", "request_row_id")
    create_index("entries", "account_id")
    create_index("entries", "dispute_row_id")
