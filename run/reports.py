"""What pytest says of a run in its JUnit file: how many, and why some were skipped."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Report:
    """Counts of one run or of several; adding two sums them."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    took_s: float = 0.0
    skip_reasons: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Report") -> "Report":
        return Report(
            self.passed + other.passed,
            self.failed + other.failed,
            self.errors + other.errors,
            self.skipped + other.skipped,
            self.took_s + other.took_s,
            self.skip_reasons + other.skip_reasons,
        )

    def counts(self) -> str:
        """Write the counts as pytest does: failures first, what is zero left out."""
        numbers = {
            "failed": self.failed,
            "passed": self.passed,
            "skipped": self.skipped,
            "errors": self.errors,
        }
        told = ", ".join(f"{number} {what}" for what, number in numbers.items() if number)
        return f"{told or 'no tests ran'} in {self.took_s:.2f}s"


def read_report(file: Path) -> Report | None:
    """Read a JUnit file that pytest wrote; None when there is none, or half of one."""
    try:
        root = ElementTree.parse(file).getroot()  # noqa: S314  our own pytest wrote it
    except (FileNotFoundError, ElementTree.ParseError):
        return None
    total = Report()
    for suite in root.iter("testsuite"):
        tests, failed, errors, skipped = (
            int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")
        )
        reasons = Counter(skip.get("message", "no reason given") for skip in suite.iter("skipped"))
        passed = tests - failed - errors - skipped
        total += Report(passed, failed, errors, skipped, float(suite.get("time", 0)), reasons)
    return total
