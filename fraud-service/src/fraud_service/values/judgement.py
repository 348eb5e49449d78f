"""What the rules found."""

from dataclasses import dataclass

from fraud_service.values.vocabulary import Decision


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule has to say; ``score`` runs from 0 (trusted) to 100 (surely refused)."""

    rule: str
    decision: Decision
    score: int
    detail: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What all rules together decided, and why; ``is_by_list`` when a list decided and no limit was asked."""

    decision: Decision
    score: int
    findings: tuple[Finding, ...]
    rules_version: str
    is_by_list: bool

    @property
    def is_counted(self) -> bool:
        """Whether later attempts count this one: the limits judged it, and let it through."""
        return not self.is_by_list and self.decision is not Decision.DECLINE
