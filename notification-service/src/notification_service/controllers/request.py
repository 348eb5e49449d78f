"""The dependencies of the application that answers the present request."""

from dataclasses import dataclass

from flask import current_app
from service_kit.jobs.wake import Waker

from notification_service.config import Config

EXTENSION = "notification-service"
# The name of the security scheme in the OpenAPI document.
SERVICE_TOKEN = "service_token"  # noqa: S105  a name, no secret


@dataclass(frozen=True, slots=True)
class Dependencies:
    config: Config
    waker: Waker


def current_dependencies() -> Dependencies:
    """Return what ``create_app`` put together."""
    dependencies: Dependencies = current_app.extensions[EXTENSION]
    return dependencies
