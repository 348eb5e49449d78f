"""Fills an empty database with what the lab expects: one merchant, and payments 1 and 2."""

from datetime import datetime

from service_kit.clock import utc_now
from service_kit.ids import new_id
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.payments.claims import store_new_payment
from payment_service.domain.payments.events import OPERATOR
from payment_service.extensions import db
from payment_service.models.merchant import LAB_MERCHANT_ID, Merchant
from payment_service.models.payment import Payment
from payment_service.processing.dependencies import Dependencies
from payment_service.values.statuses import PaymentStatus, Surface

# The reference service's seed: (id, order, user, minor units). The first new payment is therefore 3.
SEEDED_PAYMENTS = ((1, "1", "1", 199999), (2, "2", "2", 5950))


def seed_lab(dependencies: Dependencies) -> bool:
    """Store the seed unless it is there; return whether anything was stored. Seeded payments never expire."""
    now = utc_now()
    public_ids = [new_id("pay") for _ in SEEDED_PAYMENTS]

    def work(session: Session) -> bool:
        if session.scalar(select(Merchant.id).where(Merchant.public_id == LAB_MERCHANT_ID)):
            return False
        merchant = Merchant(
            public_id=LAB_MERCHANT_ID,
            name="Store Manager",
            legal_name="Store Manager SARL",
            address="1, rue du Laboratoire\n20000 Casablanca\nMaroc",
            tax_number="IF 00000001",
            locale="fr",
            currency=dependencies.config.lab_currency,
            created_at=now,
        )
        session.add(merchant)
        session.flush()
        for public_id, seeded in zip(public_ids, SEEDED_PAYMENTS, strict=True):
            payment = _to_payment(public_id, seeded, merchant, now)
            store_new_payment(session, dependencies.policy.event_key, payment, actor=OPERATOR)
        return True

    return db.in_transaction(work)


def _to_payment(
    public_id: str, seeded: tuple[int, str, str, int], merchant: Merchant, now: datetime
) -> Payment:
    payment_id, order_id, user_id, amount_minor = seeded
    return Payment(
        id=payment_id,
        public_id=public_id,
        merchant_id=merchant.id,
        surface=Surface.LAB,
        order_id=order_id,
        user_id=user_id,
        amount_minor=amount_minor,
        currency=merchant.currency,
        status=PaymentStatus.PENDING,
        receipt_locale=merchant.locale,
        event_count=0,
        event_head="",
        created_at=now,
    )
