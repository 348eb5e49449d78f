"""An assessment as JSON: what is answered, and what is stored to explain it."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fraud_service.rules import Evaluation
from fraud_service.values.inputs import Inputs


def answer_document(
    assessment_id: str, attempt_id: str, evaluation: Evaluation, assessed_at: datetime
) -> dict[str, Any]:
    return {
        "assessment_id": assessment_id,
        "attempt_id": attempt_id,
        "decision": evaluation.decision,
        "score": evaluation.score,
        "reasons": [{"rule": finding.rule, "detail": finding.detail} for finding in evaluation.findings],
        "rules_version": evaluation.rules_version,
        "assessed_at": _moment(assessed_at),
    }


def inputs_document(inputs: Inputs) -> dict[str, Any]:
    """Return every input besides the request itself."""
    return {
        "counters": asdict(inputs.counters),
        "thresholds": asdict(inputs.thresholds),
        "list_entries": [
            {
                name: _moment(value) if isinstance(value, datetime) else value
                for name, value in asdict(entry).items()
            }
            for entry in inputs.listed
        ],
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
