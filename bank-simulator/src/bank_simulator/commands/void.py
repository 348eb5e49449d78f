"""Undoing an authorisation or a recent sale."""

from dataclasses import dataclass

from bank_simulator.domain import follow_ups
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.domain.follow_ups import FollowUp, carry_out_once
from bank_simulator.domain.idempotency import Processed
from bank_simulator.models import NetworkRequest
from bank_simulator.values.vocabulary import RequestKind


@dataclass(frozen=True, slots=True)
class Void:
    """Release what an authorisation still holds, or give a recent sale back whole."""

    request_id: str
    original_request_id: str


def void(command: Void, settings: BankSettings) -> Processed:
    """Release what an authorisation still holds, or give a recent sale back whole.

    Raises:
        RequestIdReused: the id came before with other parameters.
    """
    follow_up = FollowUp(RequestKind.VOID, command.request_id, command.original_request_id)

    def rule(original: NetworkRequest, inputs: UnitInputs) -> follow_ups.Ruling:
        return follow_ups.void(original, inputs.now)

    return carry_out_once(follow_up, rule, settings)
