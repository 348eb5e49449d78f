"""Captures, sums and books of the payments that were completed before there were any"""

import sqlalchemy as sa
from service_kit.columns import BigId, UtcDateTime
from service_kit.migration_steps import in_batches

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

payments = sa.table(
    "payments",
    sa.column("id", BigId),
    sa.column("status", sa.String),
    sa.column("authorized_minor", sa.BigInteger),
    sa.column("captured_minor", sa.BigInteger),
    sa.column("paid_at", UtcDateTime),
)
attempts = sa.table(
    "payment_attempts",
    sa.column("id", BigId),
    sa.column("public_id", sa.String),
    sa.column("merchant_id", BigId),
    sa.column("payment_id", BigId),
    sa.column("kind", sa.String),
    sa.column("state", sa.String),
    sa.column("provider", sa.String),
    sa.column("amount_minor", sa.BigInteger),
    sa.column("currency", sa.String),
    sa.column("reversal_of", sa.String),
    sa.column("started_at", UtcDateTime),
    sa.column("send_before", UtcDateTime),
)
captures = sa.table(
    "captures",
    sa.column("id", BigId),
    sa.column("public_id", sa.String),
    sa.column("merchant_id", BigId),
    sa.column("payment_id", BigId),
    sa.column("attempt_id", BigId),
    sa.column("state", sa.String),
    sa.column("provider", sa.String),
    sa.column("amount_minor", sa.BigInteger),
    sa.column("currency", sa.String),
    sa.column("is_final", sa.Boolean),
    sa.column("started_at", UtcDateTime),
    sa.column("send_before", UtcDateTime),
    sa.column("ask_count", sa.Integer),
    sa.column("ended_at", UtcDateTime),
)
entries = sa.table(
    "ledger_entries",
    sa.column("public_id", sa.String),
    sa.column("merchant_id", BigId),
    sa.column("account", sa.String),
    sa.column("provider", sa.String),
    sa.column("currency", sa.String),
    sa.column("amount_minor", sa.BigInteger),
    sa.column("payment_id", BigId),
    sa.column("source", sa.String),
    sa.column("kind", sa.String),
    sa.column("posted_at", UtcDateTime),
)


def upgrade() -> None:
    in_batches("payments", complete_the_books)


def complete_the_books(connection: sa.Connection, first_id: int, last_id: int) -> None:
    """Write the captures, then the entries, and last the sums, by which a payment is known as done."""
    is_of_before = (
        payments.c.id.between(first_id, last_id)
        & (payments.c.status == "completed")
        & (payments.c.captured_minor == 0)
    )
    connection.execute(_captures(is_of_before))
    for side, account, sign in (("d", "provider_receivable", 1), ("c", "merchant_payable", -1)):
        connection.execute(_entries(is_of_before, side, account, sign))
    captured = (
        sa.select(sa.func.sum(captures.c.amount_minor))
        .where(captures.c.payment_id == payments.c.id, captures.c.state == "approved")
        .scalar_subquery()
    )
    has_capture = sa.exists().where(captures.c.payment_id == payments.c.id, captures.c.state == "approved")
    connection.execute(
        payments.update()
        .where(is_of_before, has_capture)
        .values(authorized_minor=captured, captured_minor=captured)
    )


def _captures(is_of_before: sa.ColumnElement[bool]) -> sa.Insert:
    back = attempts.alias("back")
    # The sale that paid; others of the payment that were approved too late were given back.
    paying = (
        sa.select(sa.func.min(attempts.c.id))
        .where(
            attempts.c.payment_id == payments.c.id,
            attempts.c.kind == "sale",
            attempts.c.state == "approved",
            ~sa.exists().where(back.c.reversal_of == attempts.c.public_id),
        )
        .correlate(payments)
        .scalar_subquery()
    )
    sale = attempts.alias("sale")
    done = sa.exists().where(captures.c.payment_id == payments.c.id)
    values = {
        "public_id": sa.literal("cap_") + sa.func.substr(sale.c.public_id, len("att_") + 1),
        "merchant_id": sale.c.merchant_id,
        "payment_id": sale.c.payment_id,
        "attempt_id": sale.c.id,
        "state": sa.literal("approved"),
        "provider": sale.c.provider,
        "amount_minor": sale.c.amount_minor,
        "currency": sale.c.currency,
        "is_final": sa.true(),
        "started_at": sale.c.started_at,
        "send_before": sale.c.send_before,
        "ask_count": sa.literal(0),
        "ended_at": payments.c.paid_at,
    }
    chosen = sa.select(*values.values()).join_from(payments, sale, sale.c.id == paying)
    return captures.insert().from_select(list(values), chosen.where(is_of_before, ~done))


def _entries(is_of_before: sa.ColumnElement[bool], side: str, account: str, sign: int) -> sa.Insert:
    public_id = sa.literal("ent_") + captures.c.public_id + f"_captured_{side}"
    # By an alias, and not by the table that is inserted into.
    known = entries.alias("known")
    done = sa.exists().where(
        known.c.source == captures.c.public_id, known.c.kind == "captured", known.c.account == account
    )
    values = {
        "public_id": public_id,
        "merchant_id": captures.c.merchant_id,
        "account": sa.literal(account),
        "provider": captures.c.provider,
        "currency": captures.c.currency,
        "amount_minor": sign * captures.c.amount_minor,
        "payment_id": captures.c.payment_id,
        "source": captures.c.public_id,
        "kind": sa.literal("captured"),
        "posted_at": captures.c.ended_at,
    }
    chosen = sa.select(*values.values()).join_from(captures, payments, payments.c.id == captures.c.payment_id)
    is_posted = (captures.c.state == "approved") & ~done
    return entries.insert().from_select(list(values), chosen.where(is_of_before, is_posted))


def downgrade() -> None:
    """Nothing: the tables and columns themselves are dropped by the revisions before."""
