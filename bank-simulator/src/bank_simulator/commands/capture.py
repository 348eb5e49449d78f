"""Taking authorised money, in one part or several."""

from dataclasses import dataclass

from bank_simulator.domain import follow_ups
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.domain.follow_ups import FollowUp, carry_out_once
from bank_simulator.domain.idempotency import Processed
from bank_simulator.models import NetworkRequest
from bank_simulator.values.vocabulary import RequestKind


@dataclass(frozen=True, slots=True)
class Capture:
    """Take part or all of an authorisation; ``is_final`` gives the rest back to the cardholder."""

    request_id: str
    original_request_id: str
    amount_minor: int
    is_final: bool


def capture(command: Capture, settings: BankSettings) -> Processed:
    """Take part or all of an authorisation; a final capture gives the rest back to the cardholder.

    Raises:
        RequestIdReused: the id came before with other parameters.
    """
    follow_up = FollowUp(
        RequestKind.CAPTURE,
        command.request_id,
        command.original_request_id,
        command.amount_minor,
        {"amount_minor": command.amount_minor, "is_final": command.is_final},
    )

    def rule(original: NetworkRequest, _given: UnitInputs) -> follow_ups.Ruling:
        return follow_ups.capture(original, command.amount_minor, is_final=command.is_final)

    return carry_out_once(follow_up, rule, settings)
