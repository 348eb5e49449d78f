"""A dispute ends."""

from sqlalchemy.orm import Session

from bank_simulator.domain import disputes
from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.errors import DisputeClosed, DisputeUnknown
from bank_simulator.models import Dispute
from bank_simulator.values.vocabulary import DisputeStatus


def close_dispute(dispute_id: str, status: DisputeStatus, settings: BankSettings) -> Dispute:
    """End the dispute as won or lost by the merchant; one that ended so already is returned as it is.

    Raises:
        DisputeUnknown: there is no such dispute.
        DisputeClosed: it ended the other way.
    """
    inputs = UnitInputs.draw(settings)

    def work(session: Session) -> Dispute:
        dispute = disputes.lock_dispute(session, dispute_id)
        if dispute is None:
            raise DisputeUnknown
        if dispute.status is DisputeStatus.OPEN:
            disputes.close_dispute(session, dispute, status, inputs)
        elif dispute.status is not status:
            raise DisputeClosed
        return dispute

    return in_transaction_with_accounts(work)
