"""Makes the parts of the documentation that the code knows best: ``make docs`` writes them.

In a page such a part stands between ``<!-- from the code: NAME -->`` and ``<!-- end -->``; NAME is a key of
``PARTS``, followed by a service or a folder where each has a part of its own.
"""

import ast
import importlib
import os
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from configparser import ConfigParser, SectionProxy
from enum import StrEnum
from functools import cache
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import click
from flask import Flask
from gateway.render import render
from gateway.settings import Settings
from payment_service.domain.payments.transitions import MOVEMENT_TRANSITIONS, TRANSITIONS, MovementKind
from payment_service.domain.told_events import OUTCOME_KINDS, PAYER_NEWS
from payment_service.schemas.v1.events import WHAT
from payment_service.values.statuses import MovementState, PaymentStatus
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects import mysql

from tests.docs import codes

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in CHECKOUT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in page.relative_to(CHECKOUT).parts)
)
SERVICES = ("payment-service", "fraud-service", "notification-service", "bank-simulator")
# Every service has these, and none describes them.
UNDESCRIBED = re.compile(r"/(docs|health|static)(/.*)?|/openapi\.json")
# A page that is kept in order by hand may quote a part that it shows; only a line of its own is one.
_PART = re.compile(r"^<!-- from the code: (?P<name>[\w /-]+) -->\n(?P<text>.*?)^<!-- end -->$", re.M | re.S)
_LONGEST_CHOICE = 30  # characters; more would hide the rest of the command
_PAYMENT_SERVICE = CHECKOUT / "payment-service/src/payment_service"
_DECIDING = ("commands", "processing", "domain")
# The record of collaborators, which nearly all of them take: drawn, it would hide who uses whom.
_TAKEN_BY_ALL = "processing/dependencies"
_METHODS = ("get", "post", "put", "patch", "delete")


def package_of(service: str) -> str:
    """Return the name of a service's package: payment_service for payment-service."""
    return service.replace("-", "_")


@cache
def app_of(service: str) -> Flask:
    """Return the service's application, with the settings that it has when nothing is set."""
    with patch.dict(os.environ, {"LOG_LEVEL": "ERROR"}, clear=True):
        app: Flask = importlib.import_module(f"{package_of(service)}.app").create_app()
    return app


def description_of(app: Flask) -> Mapping[str, Any]:
    """Return what an application says of itself in OpenAPI."""
    description: Mapping[str, Any] | None = app.test_client().get("/openapi.json").json
    assert description is not None
    return description


def metadata_of(service: str) -> MetaData:
    """Return all tables of a service, whichever modules they are in."""
    models = importlib.import_module(f"{package_of(service)}.models")
    for module in pkgutil.walk_packages(models.__path__, f"{models.__name__}."):
        importlib.import_module(module.name)
    metadata: MetaData = _base_of(models).Base.metadata
    return metadata


def _base_of(models: ModuleType) -> ModuleType:
    return importlib.import_module(f"{models.__name__}.base")


# ---- routes ----


def routes(service: str) -> str:
    """Return the routes of a service, as its description has them."""
    description = description_of(app_of(service))
    rows = [
        (f"`{method.upper()} {path}`", _access(operation), _sentence(operation["summary"]))
        for path, item in sorted(description["paths"].items())
        for method, operation in item.items()
        if method in _METHODS
    ]
    if not any(access for _, access, _ in rows):
        return _table("route | what it does", [(route, meaning) for route, _, meaning in rows])
    return _table(
        "route | access | what it does", [(route, access or "open", does) for route, access, does in rows]
    )


def _access(operation: Mapping[str, Any]) -> str:
    """Return what a caller must show: scopes of an access token, or the name of another credential."""
    needed = [
        ", ".join(f"`{scope}`" for scope in scopes) or scheme.replace("_", " ")
        for alternative in operation.get("security", ())
        for scheme, scopes in alternative.items()
    ]
    return " or ".join(needed)


def gateway_routes(_service: str) -> str:
    """Return the gateway's routes; those of one path on one line."""
    settings = Settings()
    names = {settings.payment_service: "payment-service", settings.store_manager: "Store Manager"}
    methods: dict[tuple[str, str, str], list[str]] = {}
    for endpoint in render(settings)["endpoints"]:
        (backend,) = endpoint["backend"]
        path = backend["url_pattern"]
        leads_to = names[backend["host"][0]] + ("" if path == endpoint["endpoint"] else f" `{path}`")
        patience = endpoint.get("timeout", settings.timeout)
        methods.setdefault((endpoint["endpoint"], leads_to, patience), []).append(endpoint["method"])
    return _table(
        "gateway | leads to | time-out",
        [
            (f"{', '.join(verbs)} `{path}`", leads_to, patience)
            for (path, leads_to, patience), verbs in methods.items()
        ],
    )


# ---- modules ----


def folders(package: str) -> str:
    """Return what each module and folder of a package says of itself; not what is in its folders."""
    return _table("module | what", [_said(path, path.stem) for path in _modules(CHECKOUT / package)])


def modules(package: str) -> str:
    """Return what each module of a package says of itself, those in its folders included."""
    root = CHECKOUT / package
    paths = [path for top in _modules(root) for path in (top, *(_modules(top) if top.is_dir() else ()))]
    return _table(
        "module | what", [_said(path, path.relative_to(root).with_suffix("").as_posix()) for path in paths]
    )


def _modules(package: Path) -> list[Path]:
    """Return the modules and folders of a package, without its entry points and without test support."""
    return sorted(
        path
        for path in package.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
        and path.name not in {"__init__.py", "__main__.py", "testing"}
    )


def _said(path: Path, name: str) -> tuple[str, str]:
    file = path / "__init__.py" if path.is_dir() else path
    docstring = ast.get_docstring(ast.parse(file.read_text())) or ""
    return f"`{name}{'/' if path.is_dir() else ''}`", _sentence(docstring.partition("\n\n")[0])


# ---- command lines and make ----


def commands(service: str) -> str:
    """Return every command of a service's command line."""
    (script,) = entry_points(group="console_scripts", name=service)
    return _table(
        "command | what it does",
        [(f"`{usage}`", _sentence(meaning)) for usage, meaning in _walk(script.load(), service)],
    )


def _walk(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(command, click.Group):
        for verb, inner in sorted(command.commands.items()):
            yield from _walk(inner, f"{name} {verb}")
    else:
        words = [word for parameter in command.params if (word := _usage(parameter))]
        yield " ".join([name, *words]).replace("|", "\\|"), command.get_short_help_str(limit=1000)


def _usage(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        word = (parameter.metavar or parameter.name or "").upper()
        word = f"{word}…" if parameter.nargs == -1 else word
    else:
        assert isinstance(parameter, click.Option)
        if parameter.hidden:
            return ""
        word = parameter.opts[-1]
        choices = "|".join(map(str, getattr(parameter.type, "choices", ())))
        if 0 < len(choices) <= _LONGEST_CHOICE:
            word += f" {choices}"
        elif not parameter.is_flag:
            word += f" {(parameter.metavar or parameter.name or '').upper()}"
        word += " …" if parameter.multiple else ""
    return word if parameter.required else f"[{word}]"


def make_targets(_service: str) -> str:
    """Return what ``make`` lists."""
    listed = re.findall(r"^([a-z-]+):.*?## (.*)$", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    return _table("command | what it does", [(f"`make {target}`", meaning) for target, meaning in listed])


# ---- payments ----


def events(_service: str) -> str:
    """Return every type of event, what it says, and the queues of those who are told."""
    return _table(
        "type | what happened | e-mail to the payer | outcome for fraud-service",
        [
            (f"`{kind}`", _sentence(what), _named(PAYER_NEWS, kind), _named(OUTCOME_KINDS, kind))
            for kind, what in WHAT.items()
        ],
    )


def explained_codes(name: str) -> str:
    """Return what the codes of a kind mean, in a language: ``problems en``."""
    kind, language = name.split(" ")
    head, rows = codes.table(kind, language)
    return _table(head, rows)


def payment_states(_service: str) -> str:
    """Draw the life of a payment."""
    return _state_diagram(PaymentStatus.PENDING, TRANSITIONS)


def movement_states(kind: str) -> str:
    """Draw the life of a movement of this kind."""
    first = MovementState.ASSESSING if kind == MovementKind.CHARGE else MovementState.SENDING
    return _state_diagram(first, MOVEMENT_TRANSITIONS[MovementKind(kind)])


def _state_diagram(first: StrEnum, table: Mapping[Any, frozenset[Any]]) -> str:
    arrows = [f"[*] --> {first.value}"]
    reached = {*table, *(target for targets in table.values() for target in targets)}
    for state in (state for state in type(first) if state in reached):
        targets = [target for target in type(first) if target in table.get(state, ())]
        arrows += [f"{state.value} --> {target.value}" for target in targets]
        if not targets:
            arrows.append(f"{state.value} --> [*]")
    return _mermaid("stateDiagram-v2", arrows)


# ---- architecture ----


def layers(_service: str) -> str:
    """Draw the layers that import-linter holds: a layer may import those below it, and none above."""
    return "\n\n".join(_layer_diagram(contract) for contract in _contracts() if contract["type"] == "layers")


def contracts(_service: str) -> str:
    """List what import-linter holds."""
    return _table("contract | kind", [(contract["name"], contract["type"]) for contract in _contracts()])


def _contracts() -> Iterator[SectionProxy]:
    parser = ConfigParser()
    parser.read(CHECKOUT / ".importlinter")
    for name, section in parser.items():
        if name.startswith("importlinter:contract:"):
            yield section


def _layer_diagram(contract: SectionProxy) -> str:
    containers = contract.get("containers", "").split()
    rows = [
        [layer.strip(" ()") for layer in re.split(r"[|:]", line)]
        for line in contract["layers"].splitlines()
        if line.strip()
    ]
    used = {layer: _packages_with(layer, containers) for row in rows for layer in row}
    everywhere = len(containers)
    nodes = []
    for row in rows:
        for layer in row:
            within = used[layer]
            some = "" if len(within) == everywhere else f"<br/><small>{', '.join(within)}</small>"
            nodes.append(f'{layer}["{layer}{some}"]')
    arrows = [f"{' & '.join(above)} --> {' & '.join(below)}" for above, below in pairwise(rows)]
    return _mermaid("flowchart TB", [*nodes, *arrows])


def _packages_with(layer: str, containers: list[str]) -> list[str]:
    """Return the containers that have such a layer, as a package or a module."""
    return [
        container
        for container in containers
        for (source,) in [importlib.import_module(container).__path__]
        if (Path(source) / layer / "__init__.py").exists() or (Path(source) / f"{layer}.py").exists()
    ]


def imports(_service: str) -> str:
    """Draw who imports whom where money is decided, without what follows from other arrows."""
    names = bricks()
    using = {name: {other for other in names if other != name and _uses(name, other)} for name in names}
    nodes = []
    for top in _DECIDING:
        inside = [name for name in names if name.startswith(f"{top}/")]
        nodes += [
            f"subgraph {top}",
            *(f'    {_id(name)}["{name.partition("/")[2]}"]' for name in inside),
            "end",
        ]
    arrows = []
    for name, used in using.items():
        direct = sorted(one for one in used if not any(one in _reached(other, using) for other in used))
        if direct:
            arrows.append(f"{_id(name)} --> {' & '.join(map(_id, direct))}")
    return _mermaid("flowchart TB", [*nodes, *arrows])


def bricks() -> list[str]:
    """Return the modules and folders of payment-service where money is decided."""
    return [
        name
        for top in _DECIDING
        for path in _modules(_PAYMENT_SERVICE / top)
        if (name := f"{top}/{path.stem}") != _TAKEN_BY_ALL
    ]


def _uses(name: str, other: str) -> bool:
    place = _PAYMENT_SERVICE / name
    sources = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    wanted = f"payment_service.{other.replace('/', '.')}."
    return any(
        isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(wanted)
        for source in sources
        for node in ast.walk(ast.parse(source.read_text()))
    )


def _reached(start: str, using: Mapping[str, set[str]]) -> set[str]:
    """Return what is imported from ``start`` on, in one step or several."""
    found: set[str] = set()
    waiting = [*using[start]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += using[name]
    return found


def _id(name: str) -> str:
    return name.replace("/", "_")


def tables(service: str) -> str:
    """Draw the tables of a service, with the types that their columns have on MySQL."""
    relations, entities = [], []
    for name, table in sorted(metadata_of(service).tables.items()):
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            parent = "|o" if key.parent.nullable else "||"
            child = "o|" if _is_unique(table, key.parent) else "o{"
            relations.append(f"{key.column.table.name} {parent}--{child} {name} : {key.parent.name}")
        columns = sorted(table.columns, key=lambda column: not column.primary_key)
        entities += [f"{name} {{", *(f"    {_drawn(table, column)}" for column in columns), "}"]
    return _mermaid("erDiagram", [*relations, *entities])


def _drawn(table: Table, column: Column[Any]) -> str:
    kind = column.type.compile(dialect=mysql.dialect()).split(" ")[0].lower().replace(",", "_")
    keys = [
        name
        for name, is_one in (
            ("PK", column.primary_key),
            ("FK", bool(column.foreign_keys)),
            ("UK", not column.primary_key and _is_unique(table, column)),
        )
        if is_one
    ]
    words = [kind, column.name, ", ".join(keys), '"NULL"' if column.nullable else ""]
    return " ".join(filter(None, words))


def _is_unique(table: Table, column: Column[Any]) -> bool:
    """Say whether a value of the column can stand in one row only."""
    keys = [*table.constraints, *(index for index in table.indexes if index.unique)]
    return any(
        [column.name for column in key.columns] == [column.name]  # type: ignore[attr-defined]
        for key in keys
        if type(key).__name__ in {"UniqueConstraint", "PrimaryKeyConstraint", "Index"}
    )


def _table(head: str, rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {head} |", "|" + "---|" * len(head.split(" | "))]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _mermaid(kind: str, lines: list[str]) -> str:
    return "\n".join(["```mermaid", kind, *(f"    {line}" for line in lines), "```"])


def _named(words: Mapping[str, str], kind: str) -> str:
    return f"`{words[kind]}`" if kind in words else ""


def _sentence(text: str) -> str:
    """Return a sentence as a cell of a table."""
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|").removesuffix(".")


PARTS: Mapping[str, Callable[[str], str]] = {
    "routes": routes,
    "gateway routes": gateway_routes,
    "folders": folders,
    "modules": modules,
    "commands": commands,
    "make": make_targets,
    "events": events,
    "codes": explained_codes,
    "payment states": payment_states,
    "movement states": movement_states,
    "layers": layers,
    "contracts": contracts,
    "imports": imports,
    "tables": tables,
}


def part(name: str) -> str:
    """Return the text of a part by the name that stands in the page."""
    for kind, make in PARTS.items():
        if name == kind:
            return make("")
        if name.startswith(f"{kind} ") and name not in PARTS:
            return make(name.removeprefix(f"{kind} "))
    raise KeyError(f"{name} is none of {', '.join(PARTS)}")


def names_of(page: str) -> list[str]:
    """Return the names of the parts in a page."""
    return [match["name"] for match in _PART.finditer(page)]


def made_again(page: str) -> str:
    """Return the page with the parts that the code gives now."""
    return _PART.sub(
        lambda match: f"<!-- from the code: {match['name']} -->\n{part(match['name'])}\n<!-- end -->", page
    )


def main() -> None:
    """Write every page whose parts have changed."""
    for page in PAGES:
        before = page.read_text()
        after = made_again(before)
        if after != before:
            page.write_text(after)
            click.echo(f"{page.relative_to(CHECKOUT)} is up to date again")


if __name__ == "__main__":
    main()
