"""Creates a payment for an order; nobody is called, nothing is charged."""

from dataclasses import dataclass
from datetime import datetime

from service_kit.clock import utc_now
from service_kit.db.database import CommitOutcomeUnknown
from service_kit.ids import new_id
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from payment_service.domain.payments.claims import store_new_payment
from payment_service.domain.payments.events import SHOP
from payment_service.extensions import db
from payment_service.models.payment import Payment
from payment_service.processing.dependencies import Dependencies
from payment_service.values.money import Money
from payment_service.values.statuses import PaymentStatus, Surface


@dataclass(frozen=True, slots=True)
class CreatePayment:
    """A new order wants to be paid; its ids identify nothing for us (the shop uses them again)."""

    order_id: int
    user_id: int
    amount: Money


def create_payment(command: CreatePayment, dependencies: Dependencies) -> Payment:
    """Store a pending payment and return it.

    The shop never asks again, so this repeats over a commit of unknown outcome: the public id was made
    beforehand, and a payment that is found under it is the one we wanted.

    Raises:
        MerchantMissing: the database was not seeded.
    """
    public_id = new_id("pay")
    now = utc_now()
    try:
        return db.in_transaction(lambda session: _insert(session, dependencies, command, public_id, now))
    except CommitOutcomeUnknown:
        return _make_sure(dependencies, command, public_id, now)


# IntegrityError: the commit that seemed lost came through between the look and the insert; look again.
@retry(
    retry=retry_if_exception_type((CommitOutcomeUnknown, IntegrityError)),
    stop=stop_after_attempt(5),
    reraise=True,
)
def _make_sure(dependencies: Dependencies, command: CreatePayment, public_id: str, now: datetime) -> Payment:
    def work(session: Session) -> Payment:
        stored = session.scalar(select(Payment).where(Payment.public_id == public_id))
        return stored or _insert(session, dependencies, command, public_id, now)

    return db.in_transaction(work)


def _insert(
    session: Session, dependencies: Dependencies, command: CreatePayment, public_id: str, now: datetime
) -> Payment:
    merchant = dependencies.policy.merchants.lab(session)
    payment = Payment(
        public_id=public_id,
        merchant_id=merchant.id,
        surface=Surface.LAB,
        order_id=str(command.order_id),
        user_id=str(command.user_id),
        amount_minor=command.amount.amount_minor,
        currency=command.amount.currency,
        status=PaymentStatus.PENDING,
        receipt_locale=merchant.locale,
        event_count=0,
        event_head="",
        created_at=now,
        expires_at=now + dependencies.config.lab_payment_lifetime,
    )
    store_new_payment(session, dependencies.policy.event_key, payment, actor=SHOP)
    return payment
