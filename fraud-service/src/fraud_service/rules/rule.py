"""What a rule is."""

from typing import Protocol

from fraud_service.values.inputs import Inputs
from fraud_service.values.judgement import Finding


class Rule(Protocol):
    """Looks at the inputs only: no clock, no database, no chance."""

    @property
    def name(self) -> str:
        """What the rule is called in reasons."""
        ...

    def check(self, inputs: Inputs) -> Finding | None:
        """Return what the rule found, or None."""
        ...
