"""``/internal/events``: what happened to payments, for their merchants."""

from service_kit.web.api import Blueprint

from notification_service.commands.accept_events import AcceptEvent, accept_events
from notification_service.controllers.request import SERVICE_TOKEN
from notification_service.schemas.event import EventBatchSchema, EventsAcceptedSchema

# A hundred events with all that fraud rules can say about each.
MAX_BATCH_BYTES = 1024 * 1024
BODY_LIMITS = {"events.accept": MAX_BATCH_BYTES}


events = Blueprint("events", __name__, url_prefix="/internal/events", description="Events of payments")


@events.post("")
@events.arguments(EventBatchSchema)
@events.response(202, EventsAcceptedSchema)
@events.problem(400, "Malformed JSON, or a batch in which one event at least is none")
@events.problem(401, "Without the service token")
@events.doc(security=[{SERVICE_TOKEN: []}])
def accept(batch: list[AcceptEvent]) -> dict[str, int]:
    """Take over a batch of events.

    Idempotent by the id of each event: those that came before are not counted. All are stored, or none.
    """
    return {"accepted": accept_events(batch)}
