"""Reads a merchant's payment methods."""

from service_kit.db.columns import is_exactly
from sqlalchemy import select

from payment_service.errors import NotFound
from payment_service.extensions import db
from payment_service.models.card import PaymentMethod
from payment_service.queries.pagination import Listing, Page, PageRequest, read_one, read_page


def get_payment_method(merchant_id: int, payment_method_id: str) -> PaymentMethod:
    """Return one, detached or not.

    Raises:
        NotFound: the merchant has none of this id.
    """
    listing, statement = _listing(merchant_id), select(PaymentMethod)
    with db.reading() as session:
        return read_one(session, statement, listing, payment_method_id, NotFound("payment method"))


def list_payment_methods(merchant_id: int, customer_id: str | None, page: PageRequest) -> Page[PaymentMethod]:
    """Return a page of those that can pay, of one customer or of all.

    Raises:
        CursorUnknown: the merchant has none with the id of the cursor.
    """
    statement = select(PaymentMethod).where(PaymentMethod.detached_at.is_(None))
    if customer_id is not None:
        statement = statement.where(is_exactly(PaymentMethod.customer_id, customer_id))
    with db.reading() as session:
        return read_page(session, statement, _listing(merchant_id), page)


def _listing(merchant_id: int) -> Listing:
    owned = PaymentMethod.merchant_id == merchant_id
    return Listing((PaymentMethod.id,), PaymentMethod.public_id, owned, "created_at")
