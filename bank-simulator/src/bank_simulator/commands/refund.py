"""Giving captured money back."""

from dataclasses import dataclass

from service_kit.clock import utc_now
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bank_simulator.domain import follow_ups
from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.authorization_code import new_authorization_code
from bank_simulator.domain.follow_ups import FollowUp
from bank_simulator.domain.idempotency import Processed, stored_answer
from bank_simulator.models import NetworkRequest
from bank_simulator.values.keyed_hash import fingerprint
from bank_simulator.values.vocabulary import RequestKind


@dataclass(frozen=True, slots=True)
class Refund:
    """Give back part or all of what was captured."""

    request_id: str
    original_request_id: str
    amount_minor: int


def refund(command: Refund, card_key: str) -> Processed:
    """Give back part or all of what was captured.

    Raises:
        RequestIdReused: the id came before with other parameters.
    """
    follow_up = FollowUp(
        kind=RequestKind.REFUND,
        request_id=command.request_id,
        original_request_id=command.original_request_id,
        fingerprint=fingerprint(
            card_key,
            {
                "kind": RequestKind.REFUND,
                "original": command.original_request_id,
                "amount_minor": command.amount_minor,
            },
        ),
        authorization_code=new_authorization_code(),
        arrived_at=utc_now(),
        amount_minor=command.amount_minor,
    )

    def rule(original: NetworkRequest) -> follow_ups.Ruling:
        return follow_ups.refund(original, command.amount_minor)

    def work(session: Session) -> NetworkRequest:
        return follow_ups.carry_out(session, follow_up, rule)

    try:
        return Processed(in_transaction_with_accounts(work))
    except IntegrityError as duplicate:
        return Processed(stored_answer(command.request_id, duplicate, follow_up.fingerprint))
