"""The port to whoever moves the money: few verbs, one answer, our own words (facts of each provider apart).

A decline is a result. ``NotSent`` (service_kit.http_client) is raised only when the request surely never
left. Everything that may have happened is ``PENDING``, and is found out by asking, never by charging again.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from payment_service.values.card_data import CardData
from payment_service.values.money import Money


class Outcome(StrEnum):
    """What a provider said of a movement; NOT_SENT is our own word, for what never reached one."""

    APPROVED = "approved"
    DECLINED = "declined"
    PENDING = "pending"
    ABANDONED = "abandoned"
    NOT_FOUND = "not_found"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """The provider's answer in our vocabulary; ``detail`` is for the log and the attempt's row."""

    outcome: Outcome
    decline_code: str | None = None
    authorization_code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do; data, not subclasses.

    ``can_abandon``: it can be told that an id must never execute, and then says what became of it.
    """

    can_abandon: bool


@dataclass(frozen=True, slots=True)
class SaleRequest:
    """Take ``amount`` from ``card`` at once; ``attempt_id`` is the idempotency key."""

    attempt_id: str
    amount: Money
    card: CardData
    merchant_id: str
    order_id: str


@dataclass(frozen=True, slots=True)
class VoidRequest:
    """Give the whole sale ``original_id`` back; ``attempt_id`` is the idempotency key."""

    attempt_id: str
    original_id: str


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Give ``amount`` of the sale ``original_id`` back; ``attempt_id`` is the idempotency key."""

    attempt_id: str
    original_id: str
    amount: Money


class Provider(Protocol):
    """An acquirer or payment provider."""

    name: str
    capabilities: Capabilities

    def sale(self, request: SaleRequest) -> ProviderResult:
        """Authorise and capture in one go. Raises ``NotSent``."""
        ...

    def void(self, request: VoidRequest) -> ProviderResult:
        """Undo a sale that was not settled yet; DECLINED ``wrong_state`` afterwards. Raises ``NotSent``."""
        ...

    def refund(self, request: RefundRequest) -> ProviderResult:
        """Give money of a sale back. Raises ``NotSent``."""
        ...

    def fetch_status(self, attempt_id: str) -> ProviderResult:
        """Ask what became of a movement; NOT_FOUND when the provider does not know the id."""
        ...

    def abandon(self, attempt_id: str) -> ProviderResult:
        """Make sure that the id never executes; ABANDONED, or what it already came to."""
        ...
