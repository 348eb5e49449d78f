"""Network requests"""

import sqlalchemy as sa
from alembic import op
from service_kit.columns import BigId, UtcDateTime, ascii_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("network_requests"):
        return
    op.create_table(
        "network_requests",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("request_id", ascii_key(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("decline_code", sa.String(32), nullable=True),
        sa.Column("fingerprint", ascii_key(64), nullable=True),
        sa.Column("authorization_code", ascii_key(6), nullable=True),
        sa.Column("amount_minor", sa.BigInteger, nullable=True),
        sa.Column("currency", ascii_key(3), nullable=True),
        sa.Column("merchant_id", ascii_key(64), nullable=True, index=True),
        sa.Column("order_id", ascii_key(64), nullable=True),
        sa.Column(
            "card_id",
            BigId,
            sa.ForeignKey("cards.id", name="fk_network_requests_card_id_cards"),
            nullable=True,
        ),
        sa.Column(
            "original_row_id",
            BigId,
            sa.ForeignKey("network_requests.id", name="fk_network_requests_original_row_id_network_requests"),
            nullable=True,
            index=True,
        ),
        sa.Column("released_minor", sa.BigInteger, nullable=False),
        sa.Column("processed_at", UtcDateTime, nullable=False),
        sa.Column("holding", sa.String(32), nullable=True),
        sa.Column("held_minor", sa.BigInteger, nullable=False),
        sa.Column("captured_minor", sa.BigInteger, nullable=False),
        sa.Column("refunded_minor", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("request_id", name="uq_network_requests_request_id"),
    )


def downgrade() -> None:
    op.drop_table("network_requests")
