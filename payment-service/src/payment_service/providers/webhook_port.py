"""The port through which providers tell us something: whose word it is, and what it says in our own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from payment_service.providers.port import Outcome
from payment_service.values.money import Money
from payment_service.values.statuses import DisputeStatus


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
    """Understands the events of one provider."""

    provider: str

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return the event's id if the provider signed exactly these bytes lately.

        Raises:
            WebhookNotVerified: it did not, or nobody can say.
        """
        ...

    def read(self, body: str) -> News:
        """Return what a verified body says.

        Raises:
            WebhookUnreadable: it lacks what its type must have.
        """
        ...
