"""Why an attempt was assessed as it was."""

from service_kit.web import strict_json
from sqlalchemy import select

from fraud_service.errors import AssessmentNotFound
from fraud_service.extensions import db
from fraud_service.models import Assessment


def explain_assessment(attempt_id: str) -> str:
    """Return, as JSON, the answer that was given and every input that was used for it.

    Raises:
        AssessmentNotFound: no such attempt was assessed.
    """
    if not attempt_id.isascii():
        # MySQL refuses to compare other text with the ASCII column of the ids.
        raise AssessmentNotFound
    with db.reading() as session:
        row = session.execute(
            select(Assessment.request, Assessment.inputs, Assessment.answer).where(
                Assessment.attempt_id == attempt_id
            )
        ).one_or_none()
    if row is None:
        raise AssessmentNotFound
    explanation = {
        **strict_json.loads(row.answer.encode()),
        "request": strict_json.loads(row.request.encode()),
        **strict_json.loads(row.inputs.encode()),
    }
    return strict_json.dumps(explanation)
