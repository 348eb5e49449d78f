"""How the scripted bank may take a capture, a void or a refund."""

from payment_service.providers.port import Outcome, ProviderResult
from service_kit.web.http_client import NotSent

from tests.testkit.payments.scripted.bank import CarryOut, FollowUpBehaviour, ScriptedBank

APPROVED = ProviderResult(Outcome.APPROVED)
DECLINED = ProviderResult(Outcome.DECLINED, decline_code="do_not_honor")


def decline_it(code: str) -> FollowUpBehaviour:
    """Do nothing and say why."""
    return lambda bank, movement_id, _: bank.remember(
        movement_id, ProviderResult(Outcome.DECLINED, decline_code=code)
    )


def lose_it(_bank: ScriptedBank, _movement_id: str, _carry_out: CarryOut) -> ProviderResult:
    """Nothing arrives, and nobody can know that."""
    return ProviderResult(Outcome.PENDING, detail="the request was lost")


def do_it_and_vanish(bank: ScriptedBank, _movement_id: str, carry_out: CarryOut) -> ProviderResult:
    """Do it; the answer is lost, and the bank cannot be asked until it is back."""
    carry_out()
    bank.is_away = True
    return ProviderResult(Outcome.PENDING, detail="the answer was lost")


def refuse_it(_bank: ScriptedBank, _movement_id: str, _carry_out: CarryOut) -> ProviderResult:
    """The request surely never left."""
    raise NotSent("bank: connection refused")


def take_time(bank: ScriptedBank, movement_id: str, _carry_out: CarryOut) -> ProviderResult:
    """Say that it is decided later."""
    return bank.remember(movement_id, ProviderResult(Outcome.PENDING))
