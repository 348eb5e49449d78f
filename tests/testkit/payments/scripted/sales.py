"""How the scripted bank may take a sale or an authorisation."""

from payment_service.providers.port import Outcome, ProviderCharge, ProviderResult
from service_kit.web.http_client import NotSent, TooManyCalls

from tests.testkit.payments.scripted.bank import SaleBehaviour, ScriptedBank


def approve(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
    """Take the money and say so."""
    return bank.carry_out(request)


def decline(code: str) -> SaleBehaviour:
    """Take nothing and say why."""

    def behave(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
        return bank.remember(request.attempt_id, ProviderResult(Outcome.DECLINED, decline_code=code))

    return behave


def lose_answer(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
    """Take the money; the answer is lost on its way."""
    bank.carry_out(request)
    return ProviderResult(Outcome.PENDING, detail="the answer was lost")


def lose_request(_bank: ScriptedBank, _request: ProviderCharge) -> ProviderResult:
    """Nothing arrives, and nobody can know that."""
    return ProviderResult(Outcome.PENDING, detail="the request was lost")


def refuse_connection(_bank: ScriptedBank, _request: ProviderCharge) -> ProviderResult:
    """The request surely never left."""
    raise NotSent("bank: connection refused")


def be_full(_bank: ScriptedBank, _request: ProviderCharge) -> ProviderResult:
    """Too many calls are under way already."""
    raise TooManyCalls("bank: too many calls at once")


def challenge(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
    """Have the cardholder prove who they are."""
    asked = ProviderResult(Outcome.REQUIRES_ACTION, redirect_url="https://acs.example/challenge")
    return bank.remember(request.attempt_id, asked)
