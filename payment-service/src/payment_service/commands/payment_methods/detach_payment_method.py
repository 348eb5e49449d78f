"""Forgets a stored card: it can pay no more, and its number is gone."""

from collections.abc import Callable
from dataclasses import dataclass

from service_kit.clock import utc_now
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.commands.dependencies import Dependencies
from payment_service.commands.idempotency import answer_in_one
from payment_service.domain.idempotency.keys import IdempotentRequest, StoredAnswer
from payment_service.errors import PaymentMethodNotFound
from payment_service.models.vault.payment_method import PaymentMethod


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
        PaymentMethodNotFound: the merchant has none of this id.
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
            raise PaymentMethodNotFound
        if method.detached_at is None:
            method.detached_at = now
            dependencies.vault.delete(session, method.public_id)
        return present(method)

    return answer_in_one(work, request, command.payment_method_id, now, dependencies)
