"""A cardholder contests a payment."""

from dataclasses import dataclass

from service_kit.ids import new_id
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.domain import disputes
from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.domain.disputes import NewDispute
from bank_simulator.errors import RequestIdReused, RequestUnknown
from bank_simulator.extensions import db
from bank_simulator.models import Dispute, NetworkRequest
from bank_simulator.values.keyed_hash import fingerprint
from bank_simulator.values.vocabulary import DisputeReason


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """Contest part of a payment; without an amount, all that the merchant still has of it.

    A repetition with the same ``request_id`` opens nothing more; without one each request is a new one.
    """

    original_request_id: str
    amount_minor: int | None = None
    reason: DisputeReason = DisputeReason.FRAUDULENT
    request_id: str | None = None

    def fingerprint(self, card_key: str) -> str:
        parameters = {
            "kind": "dispute",
            "original": self.original_request_id,
            "amount_minor": self.amount_minor,
            "reason": self.reason,
        }
        return fingerprint(card_key, parameters)


def open_dispute(command: OpenDispute, settings: BankSettings) -> Dispute:
    """Withhold the contested money from the merchant, once per request id.

    Raises:
        RequestUnknown: no such payment has arrived.
        CannotBeDisputed: so much of it was not captured, or is disputed already.
        RequestIdReused: the id came before with other parameters.
    """
    inputs = UnitInputs.draw(settings)
    new = NewDispute(
        dispute_id=new_id("dsp"),
        amount_minor=command.amount_minor,
        reason=command.reason,
        request_id=command.request_id,
        fingerprint=command.fingerprint(settings.card_key),
    )

    def work(session: Session) -> Dispute:
        original = session.scalar(
            select(NetworkRequest)
            .where(NetworkRequest.request_id == command.original_request_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        # Under the payment's lock: the first of two that arrive together is seen here by the other.
        earlier = _opened_by(session, new)
        if earlier is not None:
            return earlier
        if original is None:
            raise RequestUnknown
        return disputes.open_dispute(session, original, new, inputs)

    try:
        return in_transaction_with_accounts(work)
    except IntegrityError as duplicate:
        # The same id met itself on another payment, whose lock is another one.
        with db.reading() as session:
            earlier = _opened_by(session, new)
        if earlier is None:
            raise duplicate
        return earlier


def _opened_by(session: Session, new: NewDispute) -> Dispute | None:
    if new.request_id is None:
        return None
    dispute: Dispute | None = session.scalar(select(Dispute).where(Dispute.request_id == new.request_id))
    if dispute is not None and dispute.fingerprint != new.fingerprint:
        raise RequestIdReused
    return dispute
