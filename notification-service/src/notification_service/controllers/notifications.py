"""``/internal/notifications``: what other services want people told."""

from service_kit.web.api import Blueprint

from notification_service.commands.accept_notification import (
    Accepted,
    AcceptNotification,
    accept_notification,
)
from notification_service.controllers.request import SERVICE_TOKEN, current_dependencies
from notification_service.models import Notification
from notification_service.queries.deliveries import find_notification
from notification_service.schemas.notification import (
    AcceptedSchema,
    NotificationSchema,
    NotificationStateSchema,
)

INVALID = "Not valid: malformed JSON, a wrong type, an unknown member, an address that cannot be written to"


notifications = Blueprint(
    "notifications", __name__, url_prefix="/internal/notifications", description="Letters to payers"
)


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
    dependencies = current_dependencies()
    lab_receipt_address = dependencies.config.lab_receipt_address
    accepted = accept_notification(command, lab_receipt_address=lab_receipt_address)
    if accepted.is_new:
        dependencies.waker.wake()
    return accepted


@notifications.get("/<string:event_id>")
@notifications.response(200, NotificationStateSchema)
@notifications.problem(401, "Without the service token")
@notifications.problem(404, "No such event was accepted")
@notifications.doc(security=[{SERVICE_TOKEN: []}])
def show(event_id: str) -> Notification:
    """Show where a notification stands, with its delivery log."""
    return find_notification(event_id)
