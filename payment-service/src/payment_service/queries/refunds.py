"""Reads refunds as their merchant may see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from payment_service.domain.payments.references import MerchantPayment
from payment_service.errors import NotFound
from payment_service.extensions import db
from payment_service.models.movement import Refund
from payment_service.models.payment import Payment
from payment_service.queries.pagination import Listing, Page, PageRequest, read_one, read_page
from payment_service.values.statuses import MovementState


@dataclass(frozen=True, slots=True)
class RefundOfPayment:
    """A refund as it is shown."""

    refund: Refund
    payment_id: str

    @property
    def status(self) -> str:
        """An unknown outcome is pending: nobody may believe that it failed."""
        if self.refund.is_open:
            return "pending"
        return "succeeded" if self.refund.state == MovementState.APPROVED else "failed"

    @property
    def failure_code(self) -> str | None:
        """Why nothing went back: the bank's code, or that it never left (not_sent) or was given up."""
        return (self.refund.decline_code or self.refund.state) if self.status == "failed" else None


def get_refund(merchant_id: int, refund_id: str) -> RefundOfPayment:
    """Return one refund.

    Raises:
        NotFound: the merchant has none with this id.
    """
    listing = _listing(Refund.merchant_id == merchant_id)
    with db.reading() as session:
        refund = read_one(session, select(Refund), listing, refund_id, NotFound("refund"))
        return _with_payments(session, [refund])[0]


def list_refunds(merchant_id: int, page: PageRequest, payment: str | None = None) -> Page[RefundOfPayment]:
    """Return a page of the merchant's refunds, or of those of one payment, newest first.

    Raises:
        PaymentNotFound: the merchant has no such payment.
        CursorUnknown: none of these refunds has the cursor's id.
    """
    owned = Refund.merchant_id == merchant_id
    with db.reading() as session:
        if payment is not None:
            reference = MerchantPayment(merchant_id, payment)
            payment_id = reference.find_id(session)
            if payment_id is None:
                raise reference.not_found()
            owned = Refund.payment_id == payment_id
        found = read_page(session, select(Refund), _listing(owned), page)
        return Page(_with_payments(session, found.rows), found.has_more)


def _listing(owned: ColumnElement[bool]) -> Listing:
    return Listing((Refund.id,), Refund.public_id, owned, "started_at")


def _with_payments(session: Session, refunds: Sequence[Refund]) -> list[RefundOfPayment]:
    keys = {refund.payment_id for refund in refunds}
    named = session.execute(select(Payment.id, Payment.public_id).where(Payment.id.in_(keys))).all()
    names = {row.id: row.public_id for row in named}
    return [RefundOfPayment(refund, names[refund.payment_id]) for refund in refunds]
