"""Stores and detaches a merchant's payment methods."""

from collections.abc import Callable
from dataclasses import dataclass

from service_kit.clock import utc_now
from service_kit.ids import new_id
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import IdempotentRequest, StoredAnswer
from payment_service.errors import NotFound
from payment_service.models.card import PaymentMethod
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.idempotent import answer_once
from payment_service.values.cards import CardData
from payment_service.vault.vault import Purpose, forget_card


@dataclass(frozen=True, slots=True)
class StorePaymentMethod:
    """Keep this card for a merchant; a CVV is not kept."""

    merchant_id: int
    card: CardData
    customer_id: str | None = None


def store_payment_method(
    command: StorePaymentMethod,
    request: IdempotentRequest,
    present: Callable[[PaymentMethod], StoredAnswer],
    dependencies: Dependencies,
) -> StoredAnswer:
    """Store the card once, however often the request arrives; no provider is called."""
    public_id, card, now = new_id("pm"), command.card, utc_now()

    def work(session: Session) -> StoredAnswer:
        method = PaymentMethod(
            public_id=public_id,
            merchant_id=command.merchant_id,
            customer_id=command.customer_id,
            card_brand=card.brand,
            card_bin=card.bin,
            card_last4=card.last4,
            exp_month=card.exp_month,
            exp_year=card.exp_year,
            created_at=now,
        )
        session.add(method)
        dependencies.vault.store(session, public_id, Purpose.PAYMENT_METHOD, card, command.merchant_id, now)
        return present(method)

    return answer_once(work, request, public_id, dependencies)


@dataclass(frozen=True, slots=True)
class DetachPaymentMethod:
    """Forget the merchant's payment method of this id (``pm_…``)."""

    merchant_id: int
    payment_method_id: str


def detach_payment_method(
    command: DetachPaymentMethod,
    request: IdempotentRequest,
    present: Callable[[PaymentMethod], StoredAnswer],
    dependencies: Dependencies,
) -> StoredAnswer:
    """Detach it; one that is detached stays as it is. A payment that has read the number already goes on.

    Raises:
        NotFound: the merchant has none of this id.
    """
    now = utc_now()

    def work(session: Session) -> StoredAnswer:
        method = session.scalar(
            select(PaymentMethod)
            .where(
                PaymentMethod.public_id == command.payment_method_id,
                PaymentMethod.merchant_id == command.merchant_id,
            )
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if method is None:
            raise NotFound("payment method")
        if method.detached_at is None:
            method.detached_at = now
            forget_card(session, method.public_id)
        return present(method)

    return answer_once(work, request, command.payment_method_id, dependencies)
