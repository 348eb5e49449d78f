"""A cardholder contests a payment."""

from dataclasses import dataclass

from service_kit.ids import new_id
from sqlalchemy import select
from sqlalchemy.orm import Session

from bank_simulator.domain import disputes
from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.terms import Given, Terms
from bank_simulator.errors import RequestUnknown
from bank_simulator.models import Dispute, NetworkRequest
from bank_simulator.values.vocabulary import DisputeReason


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """Contest part of a payment; without an amount, all that the merchant still has of it."""

    original_request_id: str
    amount_minor: int | None = None
    reason: DisputeReason = DisputeReason.FRAUDULENT


def open_dispute(command: OpenDispute, terms: Terms) -> Dispute:
    """Withhold the contested money from the merchant.

    Raises:
        RequestUnknown: no such payment has arrived.
        CannotBeDisputed: so much of it is not with the merchant.
    """
    given = Given.draw(terms)
    dispute_id = new_id("dsp")

    def work(session: Session) -> Dispute:
        original = session.scalar(
            select(NetworkRequest)
            .where(NetworkRequest.request_id == command.original_request_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if original is None:
            raise RequestUnknown
        return disputes.open_dispute(
            session, original, dispute_id, command.amount_minor, command.reason, given
        )

    return in_transaction_with_accounts(work)
