"""Reads merchants."""

from collections.abc import Sequence

from sqlalchemy import select

from payment_service.errors import NotFound
from payment_service.extensions import db
from payment_service.models.merchant import Merchant


def get_merchant(key: int | str) -> Merchant:
    """Return a merchant by its primary key, or by the public id that an operator names.

    Raises:
        NotFound: there is none.
    """
    column = Merchant.id if isinstance(key, int) else Merchant.public_id
    with db.reading() as session:
        merchant = session.scalar(select(Merchant).where(column == key))
    if merchant is None:
        raise NotFound("merchant")
    return merchant


def list_merchants() -> Sequence[Merchant]:
    """Return all merchants, oldest first."""
    with db.reading() as session:
        return list(session.scalars(select(Merchant).order_by(Merchant.id)))
