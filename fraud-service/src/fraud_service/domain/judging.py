"""Asks the rules and weighs what they found."""

from collections.abc import Sequence

from fraud_service.rules.table import RULES, RULES_VERSION, Step
from fraud_service.values.inputs import Inputs
from fraud_service.values.judgement import Finding, Judgement
from fraud_service.values.vocabulary import Decision


def judge(inputs: Inputs, steps: Sequence[Step] = RULES) -> Judgement:
    """Ask the rules in their order; of several findings the hardest decision and the highest score hold.

    An attempt about which no rule has anything to say is approved with score 0.
    """
    findings: list[Finding] = []
    is_by_list = False
    for step in steps:
        finding = step.rule.check(inputs)
        if finding is None:
            continue
        findings.append(finding)
        if step.is_final:
            is_by_list = True
            break
    decision = max((finding.decision for finding in findings), key=_severity, default=Decision.APPROVE)
    score = max((finding.score for finding in findings), default=0)
    return Judgement(decision, score, tuple(findings), RULES_VERSION, is_by_list)


def _severity(decision: Decision) -> int:
    return decision.severity
