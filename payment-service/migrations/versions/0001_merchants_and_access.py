"""Merchants, who may call for them, and what repeated calls were answered"""

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from service_kit.db.migrations import create_index, create_table
from sqlalchemy import Column, ForeignKey, Integer, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.dialects import mysql

revision = "0001_merchants_and_access"
down_revision = None


def upgrade() -> None:
    create_table(
        "merchants",
        Column("id", BigId, primary_key=True),
        Column("public_id", ascii_key(64), nullable=False),
        Column("name", String(200), nullable=False),
        Column("locale", String(8), nullable=False),
        Column("currency", String(3), nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        Column("legal_name", String(200), nullable=False, server_default=text("''")),
        Column("address", String(500), nullable=False, server_default=text("''")),
        Column("tax_number", String(64), nullable=False, server_default=text("''")),
        UniqueConstraint("public_id"),
    )

    create_table(
        "api_clients",
        Column("id", BigId, primary_key=True),
        Column("client_id", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("name", String(200), nullable=False),
        Column("scopes", String(500), nullable=False),
        Column("secret_hash", ascii_key(64), nullable=False),
        Column("previous_secret_hash", ascii_key(64)),
        Column("previous_expires_at", UtcDateTime),
        Column("created_at", UtcDateTime, nullable=False),
        Column("disabled_at", UtcDateTime),
        UniqueConstraint("client_id"),
    )

    create_table(
        "signing_keys",
        Column("id", BigId, primary_key=True),
        Column("kid", ascii_key(64), nullable=False),
        Column("algorithm", String(16), nullable=False),
        Column("public_jwk", Text, nullable=False),
        Column("sealed_private_jwk", Text, nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        Column("activated_at", UtcDateTime, nullable=False),
        Column("retired_at", UtcDateTime),
        UniqueConstraint("kid"),
    )

    create_table(
        "idempotency_keys",
        Column("id", BigId, primary_key=True),
        Column("key_hash", ascii_key(64), nullable=False),
        Column("merchant_id", BigId, ForeignKey("merchants.id"), nullable=False),
        Column("fingerprint", ascii_key(64), nullable=False),
        Column("resource_id", ascii_key(64), nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        Column("leased_until", UtcDateTime, nullable=False),
        Column("answer_status", SmallInteger),
        Column("answer_body", Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")),
        Column("answer_content_type", String(100)),
        Column("answer_location", String(255)),
        Column("answer_retry_after_s", Integer),
        UniqueConstraint("key_hash"),
    )
    create_index("idempotency_keys", "created_at")
