"""Outcomes: what became of the money of attempts that were assessed here."""

from collections.abc import Mapping, Sequence

from service_kit.clock import utc_now
from service_kit.web.api import Blueprint

from fraud_service.commands.store_outcomes import StoreOutcome, store_outcomes
from fraud_service.controllers.request import SERVICE_TOKEN
from fraud_service.schemas.outcome import OutcomeBatchSchema, OutcomesStoredSchema

MAX_BATCH_BYTES = 256 * 1024
BODY_LIMITS = {"outcomes.accept": MAX_BATCH_BYTES}


outcomes = Blueprint(
    "outcomes",
    __name__,
    url_prefix="/internal/outcomes",
    description="What became of the money. For our other services only.",
)


@outcomes.post("")
@outcomes.arguments(OutcomeBatchSchema)
@outcomes.response(202, OutcomesStoredSchema)
@outcomes.problem(400, "Malformed JSON, or a batch in which one outcome at least is none")
@outcomes.problem(401, "Without the service token")
@outcomes.problem(503, "The database is away; send it again")
@outcomes.doc(security=[{SERVICE_TOKEN: []}])
def accept(batch: Mapping[str, Sequence[StoreOutcome]]) -> Mapping[str, int]:
    """Store a batch of outcomes, for rules that learn from them.

    Idempotent by event_id: those that came before are not counted. All are stored, or none.
    """
    return {"accepted": store_outcomes(batch["outcomes"], utc_now())}
