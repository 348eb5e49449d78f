"""The dependencies of the application that answers the present request."""

from flask import current_app

from payment_service.commands.dependencies import Dependencies

EXTENSION = "payment-service"


def current_dependencies() -> Dependencies:
    """Return what ``create_app`` put together."""
    dependencies: Dependencies = current_app.extensions[EXTENSION]
    return dependencies
