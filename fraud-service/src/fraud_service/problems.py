"""What a caller is told for each of our errors."""

from http import HTTPStatus

from service_kit.web.problems import Problem, ProblemTable

from fraud_service.errors import AssessmentNotFound, AttemptAssessedDifferently

PROBLEMS: ProblemTable = {
    AssessmentNotFound: lambda _: Problem(
        HTTPStatus.NOT_FOUND, "assessment_not_found", "No attempt with this id was assessed."
    ),
    AttemptAssessedDifferently: lambda _: Problem(
        HTTPStatus.CONFLICT,
        "attempt_assessed_differently",
        "This attempt_id was assessed before with other inputs.",
    ),
}
