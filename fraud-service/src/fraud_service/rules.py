"""The rules, the order in which they are evaluated, and what their findings come to.

A rule sees its inputs and nothing else: no clock, no database, no randomness.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fraud_service.values.inputs import (
    ANY_OTHER_CURRENCY,
    CardsLimit,
    Counters,
    Inputs,
    Thresholds,
    VelocityLimit,
)
from fraud_service.values.vocabulary import Decision, ListKind

# Stored with every assessment: change it with any change to a rule or to their table.
RULES_VERSION = "2026-11-28"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found; ``score`` runs from 0 (trusted) to 100 (surely refused)."""

    rule: str
    decision: Decision
    score: int
    detail: str


class Rule(Protocol):
    @property
    def name(self) -> str:
        """What the rule is called in reasons."""
        ...

    def check(self, inputs: Inputs) -> Finding | None: ...


@dataclass(frozen=True, slots=True)
class ListRule:
    name: str
    kind: ListKind
    decision: Decision
    score: int

    def check(self, inputs: Inputs) -> Finding | None:
        """Name every entry of the list that matches, with the reasons that people gave for them."""
        entries = [entry for entry in inputs.listed if entry.kind is self.kind]
        if not entries:
            return None
        detail = "; ".join(f"{entry.subject} is on the {self.kind} list: {entry.reason}" for entry in entries)
        return Finding(self.name, self.decision, self.score, detail)


@dataclass(frozen=True, slots=True)
class AmountLimit:
    """Holds an amount above the limit of its currency for review.

    An amount alone is no sign of fraud, so it is not declined.
    """

    name: str
    score: int

    def check(self, inputs: Inputs) -> Finding | None:
        limits = inputs.thresholds.amount_minor
        attempt = inputs.attempt
        limit = limits.get(attempt.currency, limits[ANY_OTHER_CURRENCY])
        if attempt.amount_minor <= limit:
            return None
        detail = f"{attempt.amount_minor} is more than {limit} minor units of {attempt.currency}"
        return Finding(self.name, Decision.REVIEW, self.score, detail)


@dataclass(frozen=True, slots=True)
class VelocityRule:
    """Declines what goes over the limit of one subject; an unknown count (None) is allowed.

    It is a step and no ramp: up to the limit, somebody who tries a declined card again is as trusted as at
    the first try. Who tries card numbers or security codes by machine runs into the limit at once.
    """

    name: str
    words: str
    score: int
    count: Callable[[Counters], int | None]
    limit: Callable[[Thresholds], VelocityLimit]

    def check(self, inputs: Inputs) -> Finding | None:
        count = self.count(inputs.counters)
        limit = self.limit(inputs.thresholds)
        if count is None or count <= limit.attempts:
            return None
        detail = f"more than {limit.attempts} attempts {self.words} within {limit.window_s} s"
        return Finding(self.name, Decision.DECLINE, self.score, detail)


@dataclass(frozen=True, slots=True)
class CardsRule:
    """Declines one card more than the limit of those that did not pay: card testing.

    Where as many have paid, much is bought and some cards are always refused: the address of a mobile
    network, the BIN of a large bank.
    """

    name: str
    words: str
    score: int
    unpaid: Callable[[Counters], int | None]
    paid: Callable[[Counters], int | None]
    limit: Callable[[Thresholds], CardsLimit]

    def check(self, inputs: Inputs) -> Finding | None:
        unpaid, paid = self.unpaid(inputs.counters), self.paid(inputs.counters)
        limit = self.limit(inputs.thresholds)
        if unpaid is None or paid is None or unpaid <= limit.cards or paid >= limit.cards:
            return None
        detail = f"more than {limit.cards} different cards {self.words} within {limit.window_s} s did not pay"
        return Finding(self.name, Decision.DECLINE, self.score, detail)


@dataclass(frozen=True, slots=True)
class WrongCvvRule:
    """Declines a card whose security code was guessed at, wherever that was.

    What happens at other merchants declines nobody by itself: one wrong code must have been here.
    """

    name: str
    score: int

    def check(self, inputs: Inputs) -> Finding | None:
        counters, limit = inputs.counters, inputs.thresholds.wrong_cvv
        is_over = counters.wrong_cvvs >= limit.attempts and counters.wrong_cvvs_here > 0
        if not is_over or not inputs.attempt.has_cvv:
            return None
        detail = f"{limit.attempts} wrong security codes with this card within {limit.window_s} s"
        return Finding(self.name, Decision.DECLINE, self.score, detail)


@dataclass(frozen=True, slots=True)
class Step:
    """A rule at its place; after the finding of a final one no other is evaluated."""

    rule: Rule
    is_final: bool = False


RULES: tuple[Step, ...] = (
    Step(ListRule("deny_list", ListKind.DENY, Decision.DECLINE, score=100), is_final=True),
    Step(ListRule("allow_list", ListKind.ALLOW, Decision.APPROVE, score=0), is_final=True),
    Step(AmountLimit("amount_limit", score=60)),
    Step(VelocityRule("velocity_card", "with this card", 90, lambda n: n.card, lambda t: t.velocity_card)),
    Step(VelocityRule("velocity_user", "by this user", 80, lambda n: n.user, lambda t: t.velocity_user)),
    Step(VelocityRule("velocity_ip", "from this address", 80, lambda n: n.ip, lambda t: t.velocity_ip)),
    Step(
        CardsRule(
            *("cards_ip", "from this address", 90),
            unpaid=lambda n: n.ip_cards,
            paid=lambda n: n.ip_cards_paid,
            limit=lambda t: t.cards_ip,
        )
    ),
    Step(
        CardsRule(
            *("cards_bin", "of this BIN", 80),
            unpaid=lambda n: n.bin_cards,
            paid=lambda n: n.bin_cards_paid,
            limit=lambda t: t.cards_bin,
        )
    ),
    Step(WrongCvvRule("wrong_cvv", score=90)),
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What all rules together decided, and why; ``is_by_list`` when a list decided and no limit was asked."""

    decision: Decision
    score: int
    findings: tuple[Finding, ...]
    rules_version: str
    is_by_list: bool

    @property
    def is_counted(self) -> bool:
        """Whether later attempts count this one: the limits evaluated it, and let it through."""
        return not self.is_by_list and self.decision is not Decision.DECLINE


def evaluate(inputs: Inputs, steps: Sequence[Step] = RULES) -> Evaluation:
    """Evaluate the rules in their order; of several findings the hardest decision and the highest score hold.

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
    decisions = [Decision.APPROVE, *(finding.decision for finding in findings)]
    score = max((finding.score for finding in findings), default=0)
    return Evaluation(
        max(decisions, key=list(Decision).index), score, tuple(findings), RULES_VERSION, is_by_list
    )
