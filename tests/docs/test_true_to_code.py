"""What pages say of routes, ports, settings, commands, alerts and files is what the code has."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
from gateway.routes import ROUTES

from run.settings import Ports
from tests.docs import generate
from tests.docs.generate import CHECKOUT, PAGES, SERVICES, UNDESCRIBED

PORTS = CHECKOUT / "docs" / "ports.md"
BUILDING_BLOCKS = CHECKOUT / "docs" / "arc42" / "05-vue-briques.md"
RISKS = CHECKOUT / "docs" / "arc42" / "11-risques-et-dettes.md"
MODULES = [
    file.relative_to(CHECKOUT).as_posix()
    for top in CHECKOUT.iterdir()
    if top.is_dir() and not top.name.startswith(".")
    for file in top.rglob("*.py")
]
STORE_MANAGER_PORT = 5000
# Pages for people's browsers, which no program calls.
PAGES_FOR_BROWSERS = {"/acs/{}"}
# Other tests compare the settings with the programs.
_SETTINGS = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (CHECKOUT / "docs" / "settings.md").read_text()))
# A constant of several words, or a function with its brackets; modules and classes before it are left out.
_OUR_NAME = re.compile(r"(?:\w+\.)*(?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Za-z_]\w*(?=\())(?:\(.*\))?")
_SPAN = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RULE = re.compile(r"<[^>]+>|\{[^}]+\}")


def routes_of(service: str) -> set[str]:
    """Return the paths of a service, their parameters without names."""
    rules = {rule.rule for rule in generate.app_of(service).url_map.iter_rules()}
    return {_RULE.sub("{}", rule) for rule in rules if not UNDESCRIBED.fullmatch(rule)}


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_is_in_the_description(service: str) -> None:
    described = generate.description_of(generate.app_of(service))["paths"]

    undescribed = routes_of(service) - {_RULE.sub("{}", path) for path in described}
    assert undescribed <= PAGES_FOR_BROWSERS, (
        f"{service} has routes that its OpenAPI lacks: give them @….response, or name them here"
    )


def test_the_page_of_ports_has_every_port_and_every_path() -> None:
    ports = Ports()
    paths = {ports.gateway: {_RULE.sub("{}", route.path) for route in ROUTES}}
    paths |= {getattr(ports, service.partition("-")[0]): routes_of(service) for service in SERVICES}
    rows = {int(row[0].split()[0]): row for row in _table_rows(PORTS) if row[0][0].isdigit()}

    assert set(rows) == {*ports.by_setting().values(), STORE_MANAGER_PORT}, "mend the rows of docs/ports.md"
    for port, served in paths.items():
        patterns = _SPAN.findall(rows[port][-1])
        assert {path for path in served if not _fits(path, patterns)} == set(), f"missing in row {port}"
        assert [one for one in patterns if not any(_fits(path, [one]) for path in served)] == [], port


def _fits(path: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_pages_name_only_commands_that_exist(page: Path) -> None:
    text = page.read_text()
    spans, blocks = _SPAN.findall(_BLOCK.sub("", text)), _BLOCK.findall(text)
    code = "\n".join([*spans, *(block for language, block in blocks if language in {"", "sh"})])
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))

    named = re.findall(rf"(?<![\w/-])({'|'.join(SERVICES)}) +([a-z][a-z-]*)(?: +([a-z][a-z-]*))?", code)
    wrong = [words for words in named if not _is_command(*words)]
    wrong += [
        ("make", target)
        for target in re.findall(r"(?<!\S)make ([a-z][a-z-]*)", code)
        if target not in targets
    ]
    assert wrong == [], f"{page.name} names commands that do not exist: mend the page"


def _is_command(service: str, verb: str, second: str) -> bool:
    (script,) = entry_points(group="console_scripts", name=service)
    command = script.load().commands.get(verb)
    return command is not None and (
        not isinstance(command, click.Group) or second == "" or second in command.commands
    )


def test_every_alert_is_explained_and_no_other() -> None:
    explained = re.split(r"^## Les alertes$", RISKS.read_text(), flags=re.MULTILINE)[1]
    names = {name for row in _rows(explained) for name in _SPAN.findall(row[0])} - {"event"}

    assert names == set(_errors_in_logs()), f"mend the table of alerts in {RISKS.name}"


def _errors_in_logs() -> Iterator[str]:
    """Yield the name of every line that the services write at the level ``error``."""
    for source in CHECKOUT.glob("*/src"):
        for file in source.rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in {"log.error", "log.exception"}:
                    yield ast.literal_eval(node.args[0])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_pages_name_only_modules_that_exist(page: Path) -> None:
    named = {span for span in _SPAN.findall(page.read_text()) if re.fullmatch(r"[\w./-]+\.py", span)}

    missing = {name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in MODULES)}
    assert missing == set(), f"{page.name} names modules that are not there: mend the page"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_pages_name_only_constants_and_functions_that_exist(page: Path) -> None:
    spans = _SPAN.findall(_BLOCK.sub("", page.read_text()))
    named = {match["name"].lstrip("_") for span in spans if (match := _OUR_NAME.fullmatch(span))}

    missing = named - _words_of_programs() - _SETTINGS
    assert missing == set(), f"{page.name} names what no program has: mend the page"


@cache
def _words_of_programs() -> set[str]:
    texts = [(CHECKOUT / name).read_text() for name in (*MODULES, "Makefile", ".env.example")]
    return {word.lstrip("_") for text in texts for word in re.findall(r"\w+", text)}


def test_the_building_blocks_are_where_chapter_5_says() -> None:
    missing = [
        f"{prefix}{path}"
        for head, rows in _tables(BUILDING_BLOCKS.read_text())
        for column, title in enumerate(head)
        if title.startswith(("dossier", "tests"))
        for prefix in [next(iter(_SPAN.findall(title)), "")]
        for row in rows
        for path in _SPAN.findall(row[column])
        if not (CHECKOUT / prefix / path).exists()
    ]

    assert missing == [], "mend the tables of docs/arc42/05-vue-briques.md"


def _tables(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = _rows(table)
        yield head, rows


def _table_rows(page: Path) -> list[list[str]]:
    return [row for _, rows in _tables(page.read_text()) for row in rows]


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
