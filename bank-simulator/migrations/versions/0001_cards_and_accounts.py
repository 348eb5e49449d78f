"""Cards and accounts"""

from service_kit.db.columns import BigId, ascii_key
from service_kit.db.migrations import create_table
from sqlalchemy import BigInteger, Column, Integer, String, UniqueConstraint, text

revision = "0001_cards_and_accounts"
down_revision = None


def upgrade() -> None:
    create_table(
        "cards",
        Column("id", BigId, primary_key=True),
        Column("number", ascii_key(19), nullable=False),
        Column("bank", String(32), nullable=False),
        Column("exp_year", Integer, nullable=False),
        Column("exp_month", Integer, nullable=False),
        Column("cvv_hash", ascii_key(64), nullable=False),
        Column("manner", String(32), nullable=False),
        Column("opening_minor", BigInteger),
        Column("cardholder_check", String(32), nullable=False, server_default=text("'risk_based'")),
        UniqueConstraint("number"),
    )

    create_table(
        "accounts",
        Column("id", BigId, primary_key=True),
        Column("kind", String(32), nullable=False),
        Column("owner", ascii_key(64), nullable=False),
        Column("currency", ascii_key(3), nullable=False),
        Column("bank", String(32), nullable=False),
        Column("balance_minor", BigInteger),
        UniqueConstraint("kind", "owner", "currency"),
    )
