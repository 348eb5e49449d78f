"""Reads a merchant's payment methods."""

from sqlalchemy import select

from payment_service.errors import NotFound
from payment_service.extensions import db
from payment_service.models.card import PaymentMethod
from payment_service.queries.pagination import Listing, Page, PageRequest, given, read_page


def get_payment_method(merchant_id: int, payment_method_id: str) -> PaymentMethod:
    """Return one, detached or not.

    Raises:
        NotFound: the merchant has none of this id.
    """
    statement = select(PaymentMethod).where(
        PaymentMethod.public_id == payment_method_id, PaymentMethod.merchant_id == merchant_id
    )
    with db.reading() as session:
        method = session.scalar(statement)
    if method is None:
        raise NotFound("payment method")
    return method


def list_payment_methods(merchant_id: int, customer_id: str | None, page: PageRequest) -> Page[PaymentMethod]:
    """Return a page of those that can pay, of one customer or of all.

    Raises:
        CursorUnknown: the merchant has none with the id of the cursor.
    """
    statement = select(PaymentMethod).filter_by(detached_at=None, **given(customer_id=customer_id))
    listing = Listing((PaymentMethod.id,), PaymentMethod.public_id, PaymentMethod.merchant_id == merchant_id)
    with db.reading() as session:
        return read_page(session, statement, listing, page)
