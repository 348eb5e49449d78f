"""Assessments: ask for one, and ask why it was made."""

from http import HTTPStatus

from flask import Response
from service_kit.clock import utc_now
from service_kit.web.api import Blueprint

from fraud_service.commands.assess_attempt import AssessAttempt, assess_attempt
from fraud_service.controllers.request import SERVICE_TOKEN, current_dependencies
from fraud_service.queries.explain_assessment import explain_assessment
from fraud_service.schemas.assessment import (
    AssessmentRequestSchema,
    AssessmentSchema,
    ExplanationSchema,
)
from fraud_service.values.attempt import Attempt

assessments = Blueprint(
    "assessments",
    __name__,
    url_prefix="/internal/assessments",
    description="Judging attempts to pay. For our other services only: the gateway has no route to it.",
)


@assessments.post("")
@assessments.arguments(AssessmentRequestSchema)
@assessments.response(201, AssessmentSchema, description="Judged just now")
@assessments.alt_response(
    200, schema=AssessmentSchema, description="Judged before; the stored answer, byte for byte"
)
@assessments.problem(400, "Not a request that can be judged")
@assessments.problem(401, "Without the service token")
@assessments.problem(409, "Judged before, with other inputs")
@assessments.problem(503, "The database is away; ask again")
@assessments.doc(security=[{SERVICE_TOKEN: []}])
def assess(attempt: Attempt) -> Response:
    """Judge an attempt to pay, once.

    The lists come first: what is on the deny list is declined, what is on the allow list is approved
    without asking the limits. Then amount (review) and velocity (decline) are looked at. Asking again
    with the same attempt_id and the same inputs repeats the answer.
    """
    assessed = assess_attempt(AssessAttempt(attempt, current_dependencies().config.thresholds, utc_now()))
    status = HTTPStatus.CREATED if assessed.is_new else HTTPStatus.OK
    return Response(assessed.answer, status, content_type="application/json")


@assessments.get("/<attempt_id>")
@assessments.response(200, ExplanationSchema)
@assessments.problem(401, "Without the service token")
@assessments.problem(404, "No such attempt was judged")
@assessments.doc(security=[{SERVICE_TOKEN: []}])
def explain(attempt_id: str) -> Response:
    """Say why an attempt was judged as it was: the answer, and every input that was used for it."""
    return Response(explain_assessment(attempt_id), content_type="application/json")
