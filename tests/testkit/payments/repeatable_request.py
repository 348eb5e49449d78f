"""A request that can be sent again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.testkit.payments.client import Answer
from tests.testkit.payments.world import World


@dataclass(frozen=True)
class Post:
    """A request that can be sent again."""

    path: str
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, world: World) -> Answer:
        """Send it to this process' service."""
        return world.client.post(self.path, json=self.json, headers=dict(self.headers))
