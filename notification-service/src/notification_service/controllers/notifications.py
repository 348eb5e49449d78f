"""``/internal/notifications``: what payers were told, and where each e-mail stands."""

from service_kit.web.api import Blueprint

from notification_service.controllers.request import SERVICE_TOKEN
from notification_service.models import Notification
from notification_service.queries.deliveries import find_notification
from notification_service.schemas.notification import NotificationStateSchema

notifications = Blueprint(
    "notifications", __name__, url_prefix="/internal/notifications", description="E-mails to payers"
)


@notifications.get("/<string:event_id>")
@notifications.response(200, NotificationStateSchema)
@notifications.problem(401, "Without the service token")
@notifications.problem(404, "Nobody was told of such an event")
@notifications.doc(security=[{SERVICE_TOKEN: []}])
def show(event_id: str) -> Notification:
    """Show where a notification stands, with its delivery log."""
    return find_notification(event_id)
