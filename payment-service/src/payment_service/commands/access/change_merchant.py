"""Changes what payers and receipts are told about a merchant."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.errors import NotFound
from payment_service.extensions import db
from payment_service.models.merchant import Merchant


def change_merchant(public_id: str, changes: Mapping[str, str]) -> None:
    """Set the columns that ``changes`` names; processes that remember the merchant follow within a minute.

    Raises:
        NotFound: there is no merchant of this id.
    """

    def work(session: Session) -> None:
        merchant = session.scalar(select(Merchant).where(Merchant.public_id == public_id).with_for_update())
        if merchant is None:
            raise NotFound("merchant")
        for name, value in changes.items():
            setattr(merchant, name, value)

    db.in_transaction(work)
