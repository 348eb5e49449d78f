"""The rules in the order in which they are asked."""

from dataclasses import dataclass

from fraud_service.rules.amount_limit import AmountLimit
from fraud_service.rules.listed import ListRule
from fraud_service.rules.rule import Rule
from fraud_service.rules.velocity import VelocityRule
from fraud_service.values.vocabulary import Decision, ListKind

# Stored with every assessment: change it with any change to this table or to a rule.
RULES_VERSION = "2026-11-21"


@dataclass(frozen=True, slots=True)
class Step:
    """A rule at its place; ``is_final`` when nothing after it is asked once it has found something."""

    rule: Rule
    is_final: bool


RULES: tuple[Step, ...] = (
    Step(ListRule("deny_list", ListKind.DENY, Decision.DECLINE, score=100), is_final=True),
    Step(ListRule("allow_list", ListKind.ALLOW, Decision.APPROVE, score=0), is_final=True),
    Step(AmountLimit("amount_limit", score=60), is_final=False),
    Step(
        VelocityRule(
            "velocity_card",
            "with this card",
            score=90,
            count=lambda counters: counters.card,
            limit=lambda thresholds: thresholds.velocity_card,
        ),
        is_final=False,
    ),
    Step(
        VelocityRule(
            "velocity_user",
            "by this user",
            score=80,
            count=lambda counters: counters.user,
            limit=lambda thresholds: thresholds.velocity_user,
        ),
        is_final=False,
    ),
    Step(
        VelocityRule(
            "velocity_ip",
            "from this address",
            score=80,
            count=lambda counters: counters.ip,
            limit=lambda thresholds: thresholds.velocity_ip,
        ),
        is_final=False,
    ),
)
