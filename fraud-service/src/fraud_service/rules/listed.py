"""The deny list and the allow list."""

from dataclasses import dataclass

from fraud_service.values.inputs import Inputs
from fraud_service.values.judgement import Finding
from fraud_service.values.vocabulary import Decision, ListKind


@dataclass(frozen=True, slots=True)
class ListRule:
    """Finds something as soon as one entry of its list fits the attempt."""

    name: str
    kind: ListKind
    decision: Decision
    score: int

    def check(self, inputs: Inputs) -> Finding | None:
        """Name the entries that fit, with the reasons that people gave for them."""
        entries = [entry for entry in inputs.listed if entry.kind is self.kind]
        if not entries:
            return None
        detail = "; ".join(f"{entry.subject} is on the {self.kind} list: {entry.reason}" for entry in entries)
        return Finding(self.name, self.decision, self.score, detail)
