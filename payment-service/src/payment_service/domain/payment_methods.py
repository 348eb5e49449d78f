"""Which stored cards can pay."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.errors import PaymentMethodUnusable
from payment_service.models.vault.payment_method import PaymentMethod


def get_usable_payment_method(session: Session, merchant_id: int, payment_method_id: str) -> PaymentMethod:
    """Return the merchant's payment method that a request names (``pm_…``), if it is attached.

    Its number is in the vault under the same id; who opens it a moment later may find it gone.

    Raises:
        PaymentMethodUnusable: the merchant has none of this id, or detached it.
    """
    method = session.scalar(
        select(PaymentMethod).where(
            PaymentMethod.public_id == payment_method_id, PaymentMethod.merchant_id == merchant_id
        )
    )
    if method is None or method.detached_at is not None:
        raise PaymentMethodUnusable
    return method
