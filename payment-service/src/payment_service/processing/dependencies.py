"""What the commands need from outside themselves; ``create_app`` puts it together."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Protocol

from payment_service.clients.fraud import AssessmentRequest
from payment_service.config import Config
from payment_service.domain.access.access_tokens import AccessTokens
from payment_service.domain.access.api_clients import ClientDirectory, ClientSecrets
from payment_service.domain.access.token_failures import TokenFailures
from payment_service.domain.settlement.context import SettlementPolicy
from payment_service.providers.port import Provider, ProviderWebhooks
from payment_service.values.statuses import Assessment
from payment_service.vault.vault import Vault


class FraudAssessor(Protocol):
    """Judges attempts; raises ``FraudSilent`` where it cannot."""

    def assess(self, request: AssessmentRequest) -> Assessment: ...


class WakesWorker(Protocol):
    """Tells the worker after a commit to look now."""

    def wake(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The collaborators of every command; ``providers`` by name, the first one takes new payments.

    ``webhooks`` understand what providers tell us of their own accord, by the provider's name.
    ``waiting_places`` is how many requests of this process may wait for another one.
    """

    config: Config
    policy: SettlementPolicy
    providers: Mapping[str, Provider]
    webhooks: Mapping[str, ProviderWebhooks]
    fraud: FraudAssessor
    waker: WakesWorker
    tokens: AccessTokens
    clients: ClientDirectory
    client_secrets: ClientSecrets
    token_failures: TokenFailures
    vault: Vault
    waiting_places: BoundedSemaphore

    @property
    def provider(self) -> Provider:
        """The provider to which new attempts go."""
        return next(iter(self.providers.values()))
