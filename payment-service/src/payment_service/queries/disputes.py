"""Reads disputes."""

from typing import Any

from sqlalchemy import select

from payment_service.errors import NotFound
from payment_service.extensions import db
from payment_service.models.dispute import Dispute
from payment_service.queries.pagination import (
    Conditions,
    Listing,
    Page,
    PageRequest,
    limited,
    read_one,
    read_page,
)

_CONDITIONS: Conditions = {
    "payment": lambda public_id: Dispute.payment_public_id == public_id,
    "status": lambda status: Dispute.status == status,
}


def get_dispute(merchant_id: int, public_id: str) -> Dispute:
    """Return one dispute of the merchant.

    Raises:
        NotFound: it has none with this id.
    """
    with db.reading() as session:
        return read_one(session, select(Dispute), _listing(merchant_id), public_id, NotFound("dispute"))


def list_disputes(merchant_id: int, page: PageRequest, **filters: Any) -> Page[Dispute]:
    """Return a page of the merchant's disputes; the filters are those of ``_CONDITIONS``.

    Raises:
        CursorUnknown: the merchant has no dispute with the id of the cursor.
    """
    with db.reading() as session:
        statement = limited(select(Dispute), filters, _CONDITIONS)
        return read_page(session, statement, _listing(merchant_id), page)


def _listing(merchant_id: int) -> Listing:
    owned = Dispute.merchant_id == merchant_id
    return Listing((Dispute.id,), Dispute.public_id, owned, "created_at")
