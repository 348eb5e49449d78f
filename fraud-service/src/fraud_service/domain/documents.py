"""An assessment as JSON: what is answered, and what is stored to explain it."""

from datetime import datetime
from typing import Any

from fraud_service.values.inputs import Inputs, ListedValue, VelocityLimit
from fraud_service.values.judgement import Judgement


def answer_document(
    assessment_id: str, attempt_id: str, judgement: Judgement, assessed_at: datetime
) -> dict[str, Any]:
    """Return the answer to the caller."""
    return {
        "assessment_id": assessment_id,
        "attempt_id": attempt_id,
        "decision": judgement.decision,
        "score": judgement.score,
        "reasons": [{"rule": finding.rule, "detail": finding.detail} for finding in judgement.findings],
        "rules_version": judgement.rules_version,
        "assessed_at": _moment(assessed_at),
    }


def inputs_document(inputs: Inputs) -> dict[str, Any]:
    """Return every input besides the request itself."""
    thresholds = inputs.thresholds
    return {
        "counters": {
            "card": inputs.counters.card,
            "user": inputs.counters.user,
            "ip": inputs.counters.ip,
        },
        "thresholds": {
            "amount_minor": dict(thresholds.amount_minor),
            "velocity_card": _limit(thresholds.velocity_card),
            "velocity_user": _limit(thresholds.velocity_user),
            "velocity_ip": _limit(thresholds.velocity_ip),
        },
        "list_entries": [_listed(entry) for entry in inputs.listed],
    }


def _limit(limit: VelocityLimit) -> dict[str, int]:
    return {"attempts": limit.attempts, "window_s": limit.window_s}


def _listed(entry: ListedValue) -> dict[str, str | None]:
    return {
        "kind": entry.kind,
        "subject": entry.subject,
        "value": entry.value,
        "reason": entry.reason,
        "created_at": _moment(entry.created_at),
        "created_by": entry.created_by,
        "expires_at": None if entry.expires_at is None else _moment(entry.expires_at),
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
