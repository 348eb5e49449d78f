"""``/internal/notifications``: what other services want people told."""

from service_kit.jobs.wake import Waker
from service_kit.web.api import Blueprint
from service_kit.web.standard_app import require_service_token

from notification_service.commands.accept_notification import (
    Accepted,
    AcceptNotification,
    accept_notification,
)
from notification_service.config import Config
from notification_service.queries.deliveries import NotificationState, find_notification
from notification_service.schemas.notification import (
    AcceptedSchema,
    NotificationSchema,
    NotificationStateSchema,
)

# The name of the security scheme in the OpenAPI document.
SERVICE_TOKEN = "service_token"  # noqa: S105  a name
INVALID = "Not valid: malformed JSON, a wrong type, an unknown member, an address that cannot be written to"


def notifications_blueprint(config: Config, waker: Waker) -> Blueprint:
    """Return the routes, which the service token guards."""
    notifications = Blueprint(
        "notifications", __name__, url_prefix="/internal/notifications", description="Letters to payers"
    )
    require_service_token(notifications, config.service_token)

    @notifications.post("")
    @notifications.arguments(NotificationSchema)
    @notifications.response(202, AcceptedSchema)
    @notifications.problem(400, INVALID)
    @notifications.problem(401, "Without the service token")
    @notifications.problem(409, "This event_id came before, with other content")
    @notifications.doc(security=[{SERVICE_TOKEN: []}])
    def accept(command: AcceptNotification) -> Accepted:
        """Accept a notification for delivery.

        Idempotent by `event_id`: repeated, it answers the same and sends nothing twice.
        """
        accepted = accept_notification(command, lab_receipt_address=config.lab_receipt_address)
        if accepted.is_new:
            waker.wake()
        return accepted

    @notifications.get("/<string:event_id>")
    @notifications.response(200, NotificationStateSchema)
    @notifications.problem(401, "Without the service token")
    @notifications.problem(404, "No such event was accepted")
    @notifications.doc(security=[{SERVICE_TOKEN: []}])
    def show(event_id: str) -> NotificationState:
        """Show where a notification stands, with its delivery log."""
        return find_notification(event_id)

    return notifications
