"""Moving the money of disputes, and telling the merchant's side.

The disputed payment's row is locked first, then the dispute's, so that neither refunds nor disputes ever
exceed what was captured, and a dispute ends once. A cardholder may dispute what was refunded: the merchant is
then without it twice until the dispute is won.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bank_simulator.domain.bank_settings import UnitInputs
from bank_simulator.domain.events import announce
from bank_simulator.domain.ledger import accounts_for, post_dispute
from bank_simulator.domain.postings import dispute_postings
from bank_simulator.errors import CannotBeDisputed
from bank_simulator.models import Card, Dispute, NetworkRequest
from bank_simulator.values.vocabulary import DisputeReason, DisputeStatus, EventType, Holding

_EVENTS = {
    DisputeStatus.OPEN: EventType.DISPUTE_OPENED,
    DisputeStatus.WON: EventType.DISPUTE_WON,
    DisputeStatus.LOST: EventType.DISPUTE_LOST,
}


@dataclass(frozen=True, slots=True)
class NewDispute:
    """A dispute that is to be opened, by which request; no amount is all that the merchant still has."""

    dispute_id: str
    amount_minor: int | None
    reason: DisputeReason
    request_id: str | None
    fingerprint: str


def open_dispute(session: Session, original: NetworkRequest, new: NewDispute, inputs: UnitInputs) -> Dispute:
    """Withhold money of the locked ``original`` from the merchant.

    Raises:
        CannotBeDisputed: so much is not there.
    """
    wanted_minor = original.returnable_minor if new.amount_minor is None else new.amount_minor
    if original.holding is Holding.VOIDED or not 0 < wanted_minor <= original.disputable_minor:
        raise CannotBeDisputed
    original.disputed_minor += wanted_minor
    dispute = Dispute(
        dispute_id=new.dispute_id,
        request_id=new.request_id,
        fingerprint=new.fingerprint if new.request_id else None,
        original_row_id=original.id,
        original_request_id=original.request_id,
        amount_minor=wanted_minor,
        currency=str(original.currency),
        reason=new.reason,
        status=DisputeStatus.OPEN,
        opened_at=inputs.now,
    )
    _move_and_tell(session, dispute, original, inputs)
    return dispute


def close_dispute(session: Session, dispute: Dispute, status: DisputeStatus, inputs: UnitInputs) -> None:
    """End a locked, open dispute: the money goes back to the merchant, or on to the cardholder."""
    original = session.get_one(NetworkRequest, dispute.original_row_id)
    dispute.status = status
    dispute.closed_at = inputs.now
    if status is DisputeStatus.WON:
        original.disputed_minor -= dispute.amount_minor
    _move_and_tell(session, dispute, original, inputs)


def lock_dispute(session: Session, dispute_id: str) -> Dispute | None:
    """Return the dispute, locked after the payment that it is about."""
    dispute = session.scalar(select(Dispute).where(Dispute.dispute_id == dispute_id))
    if dispute is None:
        return None
    for query in (
        select(NetworkRequest.id).where(NetworkRequest.id == dispute.original_row_id),
        select(Dispute.id).where(Dispute.id == dispute.id),
    ):
        session.execute(query.with_for_update())
    # What was read before the locks may be old.
    session.expire_all()
    return dispute


def _move_and_tell(session: Session, dispute: Dispute, original: NetworkRequest, inputs: UnitInputs) -> None:
    moved = dispute_postings(dispute.status, dispute.amount_minor)
    card = session.get_one(Card, original.card_id)
    accounts = accounts_for(session, moved, card, str(original.merchant_id), dispute.currency)
    post_dispute(session, dispute, moved, accounts)
    data = {
        "dispute_id": dispute.dispute_id,
        "original_request_id": dispute.original_request_id,
        "amount_minor": dispute.amount_minor,
        "currency": dispute.currency,
        "reason": dispute.reason.value,
        "status": dispute.status.value,
    }
    announce(session, inputs.event_id, _EVENTS[dispute.status], data, inputs.now)
