"""``/internal/events``: what happened to payments, for their merchants and payers."""

from service_kit.web.api import Blueprint

from notification_service.commands.accept_events import Accepted, AcceptEvent, accept_events
from notification_service.controllers.request import SERVICE_TOKEN, current_dependencies
from notification_service.schemas.event import EventBatchSchema, EventsAcceptedSchema

# A hundred events with all that fraud rules can say about each.
MAX_BATCH_BYTES = 1024 * 1024
BODY_LIMITS = {"events.accept": MAX_BATCH_BYTES}


events = Blueprint("events", __name__, url_prefix="/internal/events", description="Events of payments")


@events.post("")
@events.arguments(EventBatchSchema)
@events.response(202, EventsAcceptedSchema)
@events.problem(400, "Malformed JSON, or a batch in which one event at least is none, or cannot be told")
@events.problem(401, "Without the service token")
@events.doc(security=[{SERVICE_TOKEN: []}])
def accept(batch: list[AcceptEvent]) -> Accepted:
    """Take over a batch of events.

    Those that bring their `payment` are told to its payer by e-mail. Idempotent by the id of each event:
    those that came before are neither counted nor told again. All are stored, or none.
    """
    dependencies = current_dependencies()
    accepted = accept_events(batch, lab_receipt_address=dependencies.config.lab_receipt_address)
    if accepted.notifications:
        dependencies.waker.wake()
    return accepted
