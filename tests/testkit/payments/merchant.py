"""A merchant with payments whose money is held or taken, and what it does with them."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from payment_service.commands.payments.process_payment import process_payment
from payment_service.domain.payments.claims import store_new_payment
from payment_service.domain.payments.events import OPERATOR, PAYER
from payment_service.domain.payments.references import MerchantPayment
from payment_service.models.ledger import LedgerEntry
from payment_service.models.merchant import Merchant
from payment_service.models.payment import Payment
from payment_service.processing.charge import CardPayment
from payment_service.values.cards import CardData
from payment_service.values.statuses import CaptureMethod, FraudDecision, PaymentStatus, Surface
from service_kit.clock import utc_now
from service_kit.ids import new_id
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.testkit.payments.access import Shop, bearer, new_client, open_shop
from tests.testkit.payments.client import Answer
from tests.testkit.payments.scripted.sales import challenge
from tests.testkit.payments.world import World

_keys = itertools.count(1)


@dataclass
class TestMerchant:
    """A merchant at work; every call has a new idempotency key unless one is given."""

    __test__ = False  # nothing for pytest to collect, whatever its name begins with

    world: World
    shop: Shop

    @classmethod
    def of(cls, world: World) -> "TestMerchant":
        """Open a shop."""
        return cls(world, open_shop(world))

    def create(self, amount_minor: int = 10000, *, is_held: bool = True) -> str:
        """Store a pending payment and return its public id."""
        public_id = new_id("pay")
        method = CaptureMethod.MANUAL if is_held else CaptureMethod.AUTOMATIC

        def work(session: Session) -> None:
            merchant = session.scalars(
                select(Merchant).where(Merchant.public_id == self.shop.merchant_id)
            ).one()
            payment = Payment(
                public_id=public_id,
                merchant_id=merchant.id,
                surface=Surface.V1,
                order_id="1",
                user_id="",
                amount_minor=amount_minor,
                currency="MAD",
                capture_method=method,
                status=PaymentStatus.PENDING,
                receipt_locale="fr",
                event_count=0,
                event_head="",
                created_at=utc_now(),
            )
            key = self.world.dependencies.policy.event_key
            store_new_payment(session, key, payment, actor=OPERATOR)

        self.world.change(work)
        return public_id

    def pay(self, public_id: str) -> str:
        """Send a card for a payment, and return the id."""
        reference = MerchantPayment(self.payment(public_id).merchant_id, public_id)
        paid_with = CardPayment(CardData("4242424242424242", 12, 2031, "123"), PAYER)
        with self.world.app.app_context():
            process_payment(reference, paid_with, self.world.dependencies)
        return public_id

    def held(self, amount_minor: int = 10000) -> str:
        """Return a payment whose money is held."""
        return self.pay(self.create(amount_minor))

    def taken(self, amount_minor: int = 10000) -> str:
        """Return a payment whose money was taken."""
        return self.pay(self.create(amount_minor, is_held=False))

    def challenged(self, amount_minor: int = 10000, *, is_held: bool = True) -> str:
        """Return a payment that waits for its cardholder."""
        self.world.bank.script = [challenge]
        return self.pay(self.create(amount_minor, is_held=is_held))

    def reviewed(self, amount_minor: int = 10000) -> str:
        """Return a payment that waits for a person's decision."""
        self.world.fraud.script = [FraudDecision.REVIEW]
        return self.pay(self.create(amount_minor))

    def capture(self, public_id: str, key: str | None = None, **body: Any) -> Answer:
        """Capture."""
        return self.post(f"/v1/payments/{public_id}/capture", body, key)

    def cancel(self, public_id: str, key: str | None = None, **body: Any) -> Answer:
        """Cancel."""
        return self.post(f"/v1/payments/{public_id}/cancel", body, key)

    def refund(self, public_id: str, key: str | None = None, **body: Any) -> Answer:
        """Refund."""
        return self.post("/v1/refunds", {"payment": public_id, **body}, key)

    def post(self, path: str, body: Mapping[str, Any] | None = None, key: str | None = None) -> Answer:
        """Send a POST; without a body when it is empty."""
        headers = {**self.shop.bearer, "Idempotency-Key": key or f"key-{next(_keys)}"}
        if not body:
            return self.world.client.post(path, headers=headers)
        return self.world.client.post(path, json=dict(body), headers=headers)

    def get(self, path: str) -> Answer:
        """Send a GET."""
        return self.world.client.get(path, headers=self.shop.bearer)

    def payment(self, public_id: str) -> Payment:
        """Return a payment as stored."""
        (payment,) = self.world.all(Payment, public_id=public_id)
        return payment

    def work(self) -> None:
        """Let the janitor find out whatever it can, now."""
        self.world.outlast_senders()
        self.world.run_janitor()

    def sums(self, public_id: str) -> tuple[int, int, int, int]:
        """Return what is captured, being captured, refunded and being refunded."""
        payment = self.payment(public_id)
        return (
            payment.captured_minor,
            payment.capturing_minor,
            payment.refunded_minor,
            payment.refunding_minor,
        )

    def entries(self, public_id: str) -> Sequence[LedgerEntry]:
        """Return what the books say of the payment."""
        return self.world.all(LedgerEntry, payment_id=self.payment(public_id).id)

    def events(self, public_id: str) -> list[str]:
        """Return the types of the payment's events."""
        return self.world.events(self.payment(public_id).id)


def refund_of(world: World, merchant_id: str) -> str:
    """Return the id of a new refund of a merchant."""
    seller = TestMerchant(world, _shop_of(world, merchant_id))
    return str(seller.refund(seller.taken()).json["id"])


def _shop_of(world: World, merchant_id: str) -> Shop:
    credentials = new_client(world, merchant_id)
    return Shop(merchant_id, credentials, bearer(world, credentials))
