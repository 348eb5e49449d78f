"""Assess one attempt, once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service_kit.db.rows import insert_rows
from service_kit.ids import new_id
from service_kit.web import strict_json
from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fraud_service.domain.documents import answer_document, inputs_document
from fraud_service.domain.gathering import gather_inputs
from fraud_service.errors import AttemptAssessedDifferently
from fraud_service.extensions import db
from fraud_service.models import Assessment
from fraud_service.rules import Evaluation, evaluate
from fraud_service.values.attempt import Attempt
from fraud_service.values.inputs import Inputs, Thresholds
from fraud_service.values.subjects import subject_values
from fraud_service.values.vocabulary import Subject, TryResult


@dataclass(frozen=True, slots=True)
class AssessAttempt:
    """The attempt, the limits in force, and the time at which it is assessed."""

    attempt: Attempt
    thresholds: Thresholds
    now: datetime


@dataclass(frozen=True, slots=True)
class Assessed:
    """The answer, always the same bytes for one attempt, and whether it was made just now."""

    answer: str
    is_new: bool


def assess_attempt(command: AssessAttempt) -> Assessed:
    """Assess the attempt and store the decision with all its inputs, or repeat the stored answer.

    Raises:
        AttemptAssessedDifferently: this attempt id was assessed before with other inputs.
    """
    assessment_id = new_id("asm")
    request = strict_json.dumps(command.attempt.document())

    def work(session: Session) -> str:
        inputs = gather_inputs(session, command.attempt, command.thresholds, command.now)
        evaluation = evaluate(inputs)
        answer = strict_json.dumps(
            answer_document(assessment_id, command.attempt.attempt_id, evaluation, command.now)
        )
        row = {"assessment_id": assessment_id, "request": request, "answer": answer}
        insert_rows(session, Assessment, [{**row, **_columns(inputs, evaluation, command.now)}])
        return answer

    try:
        return Assessed(db.in_transaction(work), is_new=True)
    except IntegrityError:
        # Assessed before, or by a request that came at the same moment: the constraint let one of us in.
        earlier = _find(command.attempt.attempt_id)
        if earlier is None:
            raise
    if earlier.request != request:
        raise AttemptAssessedDifferently
    return Assessed(earlier.answer, is_new=False)


def _columns(inputs: Inputs, evaluation: Evaluation, now: datetime) -> dict[str, Any]:
    attempt = inputs.attempt
    return {
        "attempt_id": attempt.attempt_id,
        "assessed_at": now,
        "decision": evaluation.decision,
        "is_counted": evaluation.is_counted,
        "result": TryResult.OPEN if evaluation.is_counted else None,
        "card_fingerprint": attempt.card.fingerprint,
        "bin": attempt.card.bin,
        "merchant_id": attempt.merchant_id,
        "user_id": attempt.user_id,
        "ip": subject_values(attempt).get(Subject.IP),
        "inputs": strict_json.dumps(inputs_document(inputs)),
    }


def _find(attempt_id: str) -> Row[str, str] | None:
    with db.reading() as session:
        return session.execute(
            select(Assessment.request, Assessment.answer).where(Assessment.attempt_id == attempt_id)
        ).one_or_none()
