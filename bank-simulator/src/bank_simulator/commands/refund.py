"""Giving captured money back."""

from dataclasses import dataclass

from bank_simulator.domain import follow_ups
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.domain.follow_ups import FollowUp, carry_out_once
from bank_simulator.domain.idempotency import Processed
from bank_simulator.models import NetworkRequest
from bank_simulator.values.vocabulary import RequestKind


@dataclass(frozen=True, slots=True)
class Refund:
    """Give back part or all of what was captured."""

    request_id: str
    original_request_id: str
    amount_minor: int


def refund(command: Refund, settings: BankSettings) -> Processed:
    """Give back part or all of what was captured; some cards' banks take their time for it.

    Raises:
        RequestIdReused: the id came before with other parameters.
    """
    follow_up = FollowUp(
        RequestKind.REFUND,
        command.request_id,
        command.original_request_id,
        command.amount_minor,
        {"amount_minor": command.amount_minor},
    )

    def rule(original: NetworkRequest, _given: UnitInputs) -> follow_ups.Ruling:
        return follow_ups.refund(original, command.amount_minor)

    return carry_out_once(follow_up, rule, settings)
