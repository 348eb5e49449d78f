"""What people read must be true: every setting is documented, every link leads somewhere."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from bank_simulator.values.issued_cards import TEST_CARDS
from payment_service.config import TimeLimits

from run.settings import RunSettings
from tests.docs.generate import CHECKOUT, PAGES

SETTINGS = CHECKOUT / "docs" / "settings.md"
READERS = (
    *CHECKOUT.glob("*/src/**/config.py"),  # the kit's, too
    *CHECKOUT.glob("service-kit/src/**/gunicorn*.py"),
    CHECKOUT / "krakend/src/gateway/cli.py",
    CHECKOUT / "run/settings.py",
)
PROGRAMS = [
    file
    for folder in ("*/src", "run", "tests")
    for root in CHECKOUT.glob(folder)
    for file in root.rglob("*.py")
]
_SETTING = re.compile(r"`([A-Z][A-Z0-9_]+)`")
_NAME = re.compile(r"[A-Z][A-Z0-9_]{2,}")
_LINK = re.compile(r"(?<!!)\[[^]]*]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def test_every_setting_that_code_reads_is_documented() -> None:
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", SETTINGS.read_text()))

    for reader in READERS:
        for pattern in _names_read_by(reader):
            assert any(re.fullmatch(pattern, name) for name in documented), f"{pattern} of {reader.name}"


def test_every_documented_setting_is_read() -> None:
    rows = [line.split("|")[1] for line in SETTINGS.read_text().splitlines() if line.startswith("| `")]
    code = "".join(
        file.read_text()
        for file in (CHECKOUT / "Makefile", *sorted(CHECKOUT.glob("docker-compose*.yml")), *PROGRAMS)
    )
    made_up = [pattern for reader in READERS for pattern in _names_read_by(reader)]
    made_up += [*RunSettings.from_env().as_environment(), *map(_limit, TimeLimits.__dataclass_fields__)]

    for name in (name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)):
        assert name in code or any(re.fullmatch(pattern, name) for pattern in made_up), name


def test_every_default_that_stands_in_the_code_is_documented() -> None:
    rows = [line.split("|")[1:3] for line in SETTINGS.read_text().splitlines() if line.startswith("| `")]
    shown = {name: default for names, default in rows for name in _SETTING.findall(names)}
    read = {name: value for reader in READERS for name, value in _defaults_read_by(reader)}

    # Each service has a default of its own for these.
    several = {"BIND", "WEB_THREADS", "DATABASE_URL", "WORKER_WAKE_ADDRESS"}
    assert len(read) > len(several)
    wrong = {
        name: (value, shown.get(name))
        for name, value in read.items()
        if name not in several and value not in shown.get(name, "")
    }
    assert wrong == {}, "mend the defaults in docs/settings.md (name: in the code, in the page)"


def test_every_time_limit_is_documented_with_its_default() -> None:
    page = SETTINGS.read_text()
    limits = TimeLimits()

    for name in TimeLimits.__dataclass_fields__:
        line = next((line for line in page.splitlines() if f"`{_limit(name)}`" in line), None)
        assert line is not None, name
        value = getattr(limits, name)
        shown = ",".join(f"{item:g}" for item in value) if isinstance(value, tuple) else f"{value:g}"
        assert shown in re.split(r"[|,` ]+", line) or f"`{shown}`" in line, (name, shown)


def test_every_setting_of_a_run_and_of_compose_is_documented() -> None:
    page = SETTINGS.read_text()
    names = set(RunSettings.from_env().as_environment())
    for line in (CHECKOUT / ".env.example").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            names.add(line.partition("=")[0])

    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_cards_shown_to_newcomers_do_what_is_said() -> None:
    outcomes = {card.number: card.outcome for card in TEST_CARDS}
    page = CHECKOUT / "docs" / "test-cards.md"
    rows = re.findall(r"^\| ([0-9][0-9 ·]*) \| (\w+)", page.read_text(), re.MULTILINE)

    assert len(rows) >= 10
    for numbers, verb in rows:
        for number in numbers.split(" · "):
            assert outcomes[number].startswith(verb), number


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.findall(_CODE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            dead.append(link)

    assert dead == []


def _names_read_by(file: Path) -> Iterator[str]:
    """Yield a pattern for each name of the environment in the file's calls, such as ``VELOCITY_.+_LIMIT``."""
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        candidates: list[ast.expr] = []
        if called.startswith("env.") or called == "os.environ.get":
            candidates = node.args[:1]
        elif called.startswith(("read_", "_read_")):
            candidates = node.args[1:]
        candidates += [keyword.value for keyword in node.keywords if keyword.arg == "envvar"]
        yield from filter(None, map(_pattern, candidates))


def _defaults_read_by(file: Path) -> Iterator[tuple[str, str]]:
    """Yield each name of the environment in the file's calls with the literal that stands behind it.

    An empty text is no default: the code goes on to look for one.
    """
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Call):
            continue
        for name, default in pairwise(map(_literal, node.args)):
            if _NAME.fullmatch(name) and default:
                yield name, default


def _literal(value: ast.expr) -> str:
    """Return a constant, or that in ``Decimal("1.0")``, as a page shows it; nothing for anything else."""
    if isinstance(value, ast.Call) and len(value.args) == 1:
        (value,) = value.args
    if not isinstance(value, ast.Constant) or value.value is None:
        return ""
    return f"{value.value:g}" if isinstance(value.value, float) else str(value.value)


def _limit(field: str) -> str:
    """Return the setting of a time limit."""
    return f"LIMIT_{field.upper()}"


def _pattern(name: ast.expr) -> str | None:
    if isinstance(name, ast.Constant) and isinstance(name.value, str):
        return re.escape(name.value) if _NAME.fullmatch(name.value) else None
    if isinstance(name, ast.JoinedStr):
        return "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in name.values
        )
    return None


def _anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings have on a code host."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
