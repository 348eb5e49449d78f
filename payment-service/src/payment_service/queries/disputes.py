"""Reads disputes."""

from sqlalchemy import select

from payment_service.errors import NotFound
from payment_service.extensions import db
from payment_service.models.dispute import Dispute
from payment_service.queries.pagination import Listing, Page, PageRequest, given, read_page
from payment_service.values.statuses import DisputeStatus


def get_dispute(merchant_id: int, public_id: str) -> Dispute:
    """Return one dispute of the merchant.

    Raises:
        NotFound: it has none with this id.
    """
    if not public_id.isascii():
        # MySQL compares a column of ASCII keys with nothing else.
        raise NotFound("dispute")
    with db.reading() as session:
        dispute = session.scalar(
            select(Dispute).where(Dispute.public_id == public_id, Dispute.merchant_id == merchant_id)
        )
    if dispute is None:
        raise NotFound("dispute")
    return dispute


def list_disputes(
    merchant_id: int, page: PageRequest, *, payment: str | None, status: DisputeStatus | None
) -> Page[Dispute]:
    """Return a page of the merchant's disputes, only those of a payment or status where one is given.

    Raises:
        CursorUnknown: the merchant has no dispute with the id of the cursor.
    """
    statement = select(Dispute).filter_by(**given(payment_public_id=payment, status=status))
    listing = Listing((Dispute.id,), Dispute.public_id, Dispute.merchant_id == merchant_id)
    with db.reading() as session:
        return read_page(session, statement, listing, page)
