"""The steps of `make lint`, `types`, `test` and `test-deep`: each runs, whatever the others said."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from service_kit.testing.private_directory import PrivateDirectory

from run.reports import Report, read_report
from run.settings import CHECKOUT

PACKAGES = (
    "service-kit",
    "payment-service",
    "fraud-service",
    "notification-service",
    "bank-simulator",
    "krakend",
)
LOG_WIDTH = 120
# Two processes share the tests, each with database servers of its own; who is done takes over from the other.
_SIDE_BY_SIDE = ("-n", "2", "--dist", "worksteal")
REPORTS = CHECKOUT / ".cache" / "reports"
_MEMORY, _ROOM_BYTES = Path("/dev/shm"), 4 * 2**30  # noqa: S108  a locked folder of our own in it
_TYPED_ROOMS = ("tests", "migrations")
_COMPOSE_FILES = {
    "compose file": ("-f", "docker-compose.yml"),
    "compose file without gateway": ("-f", "docker-compose.yml", "-f", "docker-compose.without-gateway.yml"),
}


@dataclass(frozen=True)
class Step:
    """A program that must end with 0; ``why_not`` may give a reason to leave it out, which is shown."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    why_not: Callable[[], str | None] = lambda: None
    report: Path | None = None


class Result(Enum):
    """How a step ended."""

    PASSED = "[green]passed[/]"
    FAILED = "[bold red]FAILED[/]"
    SKIPPED = "[yellow]skipped[/]"


@dataclass(frozen=True)
class Outcome:
    """A step that is over."""

    step: Step
    result: Result
    took_s: float
    note: str = ""
    report: Report | None = None


def steps(what: str) -> list[Step]:
    """The steps of `lint`, `types`, `test` or `test-deep`."""
    return {
        "lint": [*_lint(), *_architecture()],
        "types": _types(),
        "test": [*_lint(), *_types(), *_architecture(), *_configurations(), *_suites()],
        "test-deep": _deep_suites(),
    }[what]


def run_steps(chosen: Sequence[Step]) -> bool:
    """Run them one after the other, show a table of what ran and what did not; True when none failed."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    REPORTS.mkdir(parents=True, exist_ok=True)
    with _files_in_memory() as environment:
        outcomes = [_run(step, console, environment) for step in chosen]
    _summarise(outcomes, console)
    return all(outcome.result is not Result.FAILED for outcome in outcomes)


@contextmanager
def _files_in_memory() -> Iterator[Mapping[str, str]]:
    """Keep temporary files, databases above all, in memory where there is room: tests then await no disk."""
    if "TMPDIR" in os.environ or not _has_room(_MEMORY):
        yield {}
        return
    folder = PrivateDirectory(_MEMORY)
    try:
        yield {"TMPDIR": str(folder.path)}
    finally:
        folder.remove()


def _has_room(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    system = os.statvfs(folder)
    # Containers often forbid to run programs from there, which some tests do.
    return system.f_bavail * system.f_frsize >= _ROOM_BYTES and not system.f_flag & os.ST_NOEXEC


def _run(step: Step, console: Console, environment: Mapping[str, str]) -> Outcome:
    reason = step.why_not()
    if reason:
        console.print(f"[bold]── {step.name}:[/] [yellow]skipped, {reason}[/]")
        return Outcome(step, Result.SKIPPED, 0.0, reason)
    console.print(f"[bold]── {step.name}[/]")
    if step.report:
        step.report.unlink(missing_ok=True)
    started_s = time.monotonic()
    code = subprocess.run(  # noqa: S603  our own table
        step.command, cwd=CHECKOUT, env={**os.environ, **environment, **step.environment}, check=False
    ).returncode
    took_s = time.monotonic() - started_s
    report = read_report(step.report) if step.report else None
    note = report.counts() if report else ""
    return Outcome(step, Result.FAILED if code else Result.PASSED, took_s, note, report)


def _summarise(outcomes: Sequence[Outcome], console: Console) -> None:
    table = Table("step", "result", "seconds", "", title="What ran", title_justify="left")
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    table.columns[2].justify = "right"
    for outcome in outcomes:
        table.add_row(outcome.step.name, outcome.result.value, f"{outcome.took_s:.1f}", outcome.note)
    console.print(table)
    show_reports([outcome.report for outcome in outcomes if outcome.report], console)


def show_reports(reports: Sequence[Report], console: Console) -> None:
    """Show why tests were skipped, and all counts together in the form of pytest's own last line."""
    if not reports:
        return
    total = sum(reports, Report())
    for reason, number in total.skip_reasons.items():
        console.print(f"[yellow]skipped {number}:[/] {escape(reason)}")
    console.print(f"==== {total.counts()} ====")


def _python(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *words)


def _lint() -> list[Step]:
    return [
        Step("style (ruff)", _python("ruff", "check", ".")),
        Step("format (ruff)", _python("ruff", "format", "--check", ".")),
    ]


def _types() -> list[Step]:
    sources = [f"{package}/src" for package in PACKAGES]
    found = [Step("types (mypy)", _python("mypy", *sources, "run", "tests"))]
    for package in PACKAGES:
        rooms = [
            f"{package}/{room}" for room in _TYPED_ROOMS if any((CHECKOUT / package / room).rglob("*.py"))
        ]
        if rooms:
            # One run each: their modules have the same names (tests.conftest, migrations.env).
            step = Step(f"types of {package}", _python("mypy", *rooms), {"MYPYPATH": package})
            found.append(step)
    return found


def _architecture() -> list[Step]:
    lint_imports = str(Path(sys.executable).with_name("lint-imports"))
    return [Step("architecture (import-linter)", (lint_imports, "--no-logo", "--config", ".importlinter"))]


def _configurations() -> list[Step]:
    return [
        Step("gateway configuration", _python("gateway", "check")),
        *(
            Step(
                f"{name} (docker)",
                ("docker", "compose", *files, "config", "--quiet"),
                why_not=_no_docker_compose,
            )
            for name, files in _COMPOSE_FILES.items()
        ),
    ]


def _no_docker_compose() -> str | None:
    if shutil.which("docker") is None:
        return "docker is not installed"
    probe = subprocess.run(("docker", "compose", "version"), capture_output=True, check=False)  # noqa: S607
    return None if probe.returncode == 0 else "docker has no compose plugin"


def _suites() -> list[Step]:
    return [_pytest("tests", "-m", "not deep", "--engines", "sqlite,mariadb")]


def _deep_suites() -> list[Step]:
    on_mysql = [
        str(folder.relative_to(CHECKOUT))
        for package in PACKAGES
        for folder in (CHECKOUT / package / "tests" / "integration",)
        if folder.is_dir()
    ]
    return [
        _pytest("suites on MySQL", "-m", "not deep", "--engines", "mysql", *on_mysql),
        _pytest("deep tests", "-m", "deep", "--engines", "sqlite,mariadb,mysql"),
    ]


def _pytest(name: str, *options: str) -> Step:
    report = REPORTS / f"{name.replace(' ', '-')}.xml"
    command = _python("pytest", "-p", "no:randomly", *_SIDE_BY_SIDE, f"--junitxml={report}", *options)
    return Step(f"{name} (pytest)", command, report=report)
