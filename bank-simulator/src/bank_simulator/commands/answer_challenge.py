"""What a cardholder does on the access control server's page."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bank_simulator.domain.accounts import in_transaction_with_accounts
from bank_simulator.domain.bank_settings import BankSettings, UnitInputs
from bank_simulator.domain.open_requests import end_by_itself, finish_challenge, lock_request
from bank_simulator.errors import ChallengeUnknown
from bank_simulator.models import NetworkRequest
from bank_simulator.values.vocabulary import Status

# What the phone gets; the page shows it, because there is no phone.
ONE_TIME_CODE = "123456"
TRIES = 3


def answer_challenge(acs_token: str, code: str | None, settings: BankSettings) -> None:
    """Take a one-time code, None for a cardholder who does not want to go on.

    The third wrong code ends the challenge, and so does its session's end. After its end nothing changes.

    Raises:
        ChallengeUnknown: there never was a challenge with this token.
    """
    inputs = UnitInputs.draw(settings)

    def work(session: Session) -> None:
        request_id = session.scalar(
            select(NetworkRequest.request_id).where(NetworkRequest.acs_token == acs_token)
        )
        request = lock_request(session, request_id) if request_id is not None else None
        if request is None:
            raise ChallengeUnknown
        if request.status is Status.REQUIRES_ACTION:
            _answer(session, request, code, inputs)

    in_transaction_with_accounts(work)


def _answer(session: Session, request: NetworkRequest, code: str | None, inputs: UnitInputs) -> None:
    if request.is_overdue(inputs.now):
        end_by_itself(session, request, inputs)
    elif code == ONE_TIME_CODE:
        finish_challenge(session, request, inputs, is_passed=True)
    else:
        request.wrong_codes += code is not None
        if code is None or request.wrong_codes >= TRIES:
            finish_challenge(session, request, inputs, is_passed=False)
