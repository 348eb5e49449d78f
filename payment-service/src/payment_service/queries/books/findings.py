"""What was found when the books were added up again."""

from collections.abc import Callable
from dataclasses import dataclass, field

Advance = Callable[[int], object]


@dataclass
class Findings:
    """``differences`` must not be, ``in_flight`` is to come, ``notes`` say what was not compared."""

    differences: list[str] = field(default_factory=list)
    in_flight: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
