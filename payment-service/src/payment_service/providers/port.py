"""The port to whoever moves the money: few verbs, one result, our own vocabulary (facts of providers apart).

A decline is a result. ``NotSent`` (service_kit.web.http_client) is raised only when the request surely never
left. Everything that may have happened is ``PENDING``; an inquiry finds it out, never another charge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from payment_service.values.cards import CardData
from payment_service.values.money import Money
from payment_service.values.statuses import DisputeStatus


class Outcome(StrEnum):
    """What a provider said of a movement; NOT_SENT is our own word, for what never reached one."""

    APPROVED = "approved"
    DECLINED = "declined"
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    ABANDONED = "abandoned"
    NOT_FOUND = "not_found"
    NOT_SENT = "not_sent"


class ThreeDSecure(StrEnum):
    """Which 3-D Secure we request: always, as the issuer likes, or not at all (the payer is absent)."""

    REQUIRED = "required"
    AUTOMATIC = "automatic"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Authentication:
    """What 3-D Secure came to: ``status`` such as authenticated, attempted, failed, unavailable.

    ``eci`` is the electronic commerce indicator of the card scheme; ``liability`` is issuer or merchant.
    """

    status: str
    eci: str | None = None
    liability: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """The provider's answer in our vocabulary; ``detail`` is for the log and the movement's row.

    ``amount`` is what the provider says was moved, where it says so. ``redirect_url`` comes with
    REQUIRES_ACTION: where the cardholder's browser must go.
    """

    outcome: Outcome
    decline_code: str | None = None
    authorization_code: str | None = None
    detail: str | None = None
    amount: Money | None = None
    redirect_url: str | None = None
    authentication: Authentication | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do; data, not subclasses.

    ``can_abandon``: an id can be barred from ever executing, and the answer is what became of it.
    """

    can_abandon: bool


@dataclass(frozen=True, slots=True)
class ProviderCharge:
    """Take or hold ``amount`` of ``card``; ``attempt_id`` is the idempotency key.

    ``return_url`` is where the browser comes back to after 3-D Secure, where the cardholder is shown
    ``merchant_name``.
    """

    attempt_id: str
    amount: Money
    card: CardData
    merchant_id: str
    order_id: str
    three_ds: ThreeDSecure = ThreeDSecure.NONE
    return_url: str | None = None
    merchant_name: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderCapture:
    """Take ``amount`` of the hold ``original_id``; a final one releases the rest."""

    capture_id: str
    original_id: str
    amount: Money
    is_final: bool


@dataclass(frozen=True, slots=True)
class ProviderVoid:
    """Release what ``original_id`` still holds, or give the whole sale back; ``void_id`` is the key."""

    void_id: str
    original_id: str


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """Give ``amount`` of what ``original_id`` took back; ``refund_id`` is the idempotency key."""

    refund_id: str
    original_id: str
    amount: Money


class Provider(Protocol):
    """An acquirer or payment provider. Every verb raises ``NotSent`` when the request surely never left."""

    name: str
    capabilities: Capabilities

    def sale(self, request: ProviderCharge) -> ProviderResult:
        """Authorise and capture in one go."""

    def authorise(self, request: ProviderCharge) -> ProviderResult:
        """Hold the money until it is captured or voided."""

    def capture(self, request: ProviderCapture) -> ProviderResult:
        """Take held money, in one part or several."""

    def void(self, request: ProviderVoid) -> ProviderResult:
        """Undo a hold, or a sale that was not settled yet; DECLINED ``wrong_state`` afterwards."""

    def refund(self, request: ProviderRefund) -> ProviderResult:
        """Give captured money back; PENDING where the bank takes its time."""

    def fetch_status(self, movement_id: str) -> ProviderResult:
        """Ask what became of a movement; NOT_FOUND when the provider does not know the id."""

    def abandon(self, movement_id: str) -> ProviderResult:
        """Make sure that the id never executes; ABANDONED, or what it already came to."""


@dataclass(frozen=True, slots=True)
class MovementNews:
    """Something became of our movement ``movement_id``; PENDING where the event does not say what."""

    movement_id: str
    outcome: Outcome
    amount: Money


@dataclass(frozen=True, slots=True)
class DisputeNews:
    """A cardholder disputes what ``original_id`` took, or such a dispute ended; ids are the provider's."""

    dispute_id: str
    original_id: str
    status: DisputeStatus
    amount: Money
    reason: str | None


@dataclass(frozen=True, slots=True)
class UnknownNews:
    """An event of a type that we do not know."""

    type: str


News = MovementNews | DisputeNews | UnknownNews


class ProviderWebhooks(Protocol):
    provider: str

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return the event's id if the provider signed exactly these bytes lately.

        Raises:
            WebhookNotVerified: it did not, or nobody can say.
        """

    def read(self, body: str) -> News:
        """Return what a verified body says.

        Raises:
            WebhookUnreadable: it lacks what its type must have.
        """
