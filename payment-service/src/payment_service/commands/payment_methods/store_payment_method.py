"""Stores a card for later payments, because its merchant asked for it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from service_kit.clock import utc_now
from service_kit.ids import new_id
from sqlalchemy.orm import Session

from payment_service.commands.dependencies import Dependencies
from payment_service.commands.idempotency import answer_in_one
from payment_service.domain.idempotency.keys import IdempotentRequest, StoredAnswer
from payment_service.models.vault.payment_method import PaymentMethod
from payment_service.values.card_data import CardData
from payment_service.values.card_rules import card_brand
from payment_service.vault.vault import Purpose


@dataclass(frozen=True, slots=True)
class StorePaymentMethod:
    """Keep this card for a merchant; there is no CVV, because it could only be forgotten."""

    merchant_id: int
    card_number: str = field(repr=False)
    card_exp_month: int = field(repr=False)
    card_exp_year: int = field(repr=False)
    customer_id: str | None = None

    @property
    def card(self) -> CardData:
        """The card, for the vault."""
        return CardData(self.card_number, self.card_exp_month, self.card_exp_year)


def store_payment_method(
    command: StorePaymentMethod,
    request: IdempotentRequest,
    present: Callable[[PaymentMethod], StoredAnswer],
    dependencies: Dependencies,
) -> StoredAnswer:
    """Store the card once, however often the request arrives; nobody outside is asked about it."""
    public_id, card, now = new_id("pm"), command.card, utc_now()

    def work(session: Session) -> StoredAnswer:
        method = PaymentMethod(
            public_id=public_id,
            merchant_id=command.merchant_id,
            customer_id=command.customer_id,
            card_brand=card_brand(card.number),
            card_bin=card.bin,
            card_last4=card.last4,
            exp_month=card.exp_month,
            exp_year=card.exp_year,
            created_at=now,
        )
        session.add(method)
        dependencies.vault.store(session, public_id, Purpose.PAYMENT_METHOD, card, command.merchant_id, now)
        return present(method)

    return answer_in_one(work, request, public_id, now, dependencies)
