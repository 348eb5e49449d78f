"""Reads merchants."""

from collections.abc import Sequence

from sqlalchemy import select

from payment_service.errors import MerchantNotFound
from payment_service.extensions import db
from payment_service.models.merchant import Merchant


def get_merchant(merchant_id: int) -> Merchant:
    """Return the merchant of an API client.

    Raises:
        MerchantNotFound: there is none with this key.
    """
    return _one(merchant_id)


def find_merchant(public_id: str) -> Merchant:
    """Return the merchant that an operator names.

    Raises:
        MerchantNotFound: there is none with this id.
    """
    return _one(public_id)


def list_merchants() -> Sequence[Merchant]:
    """Return all merchants, oldest first."""
    with db.reading() as session:
        return list(session.scalars(select(Merchant).order_by(Merchant.id)))


def _one(key: int | str) -> Merchant:
    column = Merchant.id if isinstance(key, int) else Merchant.public_id
    with db.reading() as session:
        merchant = session.scalar(select(Merchant).where(column == key))
    if merchant is None:
        raise MerchantNotFound
    return merchant
