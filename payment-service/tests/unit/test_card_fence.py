"""The fence around card numbers: who may hold or read one or import their type; no log call gets one.

Each check is a function from code to what is wrong with it. It finds nothing in payment_service, and finds
what is planted in a piece of code of its own.
"""

import ast
import configparser
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, get_args, get_type_hints

import marshmallow as ma
import payment_service
import pytest
from flask import Flask
from payment_service.schemas.lab import LabCardSchema
from payment_service.schemas.v1.payment_method import CardSchema
from payment_service.values.cards import CardData

PACKAGE = Path(payment_service.__file__).parent
CONTRACTS = PACKAGE.parents[2] / ".importlinter"
TYPE_OF_CARDS = "payment_service.values.cards"
# Names under which somebody might keep a number or code, in small letters without underscores.
SECRET_NAMES = frozenset({"card", "cardnumber", "number", "pan", "cardcode", "securitycode", "cvc", "cvv"})
# In a log these are out of place too.
PARTS = frozenset({"last4", "bin", "cardlast4", "cardbin", "expmonth", "expyear"})
PAN_READERS = ("values.cards", "vault", "providers")
CVV_READERS = ("values.cards", "providers")
# Where card data comes in, goes through and goes out; no other part of the service knows its type.
IMPORTERS = ("commands", "controllers", "pages", "processing", "providers", "schemas", "values", "vault")
LOG_METHODS = frozenset({"debug", "info", "warning", "error", "critical", "exception", "log", "bind", "msg"})


@dataclass(frozen=True)
class Module:
    name: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    def is_in(self, *parts: str) -> bool:
        return any(f"{self.name}.".startswith(f"payment_service.{part}.") for part in parts)


@cache
def modules() -> list[Module]:
    found = pkgutil.walk_packages(payment_service.__path__, "payment_service.")
    names = ["payment_service", *(module.name for module in found)]
    return [Module(name, inspect.getsource(importlib.import_module(name))) for name in names]


def classes() -> Iterator[type[Any]]:
    for module in modules():
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if found.__module__ == module.name:
                yield found


def plain(name: str) -> str:
    return name.lower().replace("_", "")


def holds_card(hint: Any) -> bool:
    return hint is CardData or any(holds_card(part) for part in get_args(hint))


def plain_fields(kind: type[Any]) -> list[str]:
    """Return the fields of a dataclass that are named for a card and are not of the one type."""
    hints = get_type_hints(kind)
    return [
        f"{kind.__qualname__}.{field.name}"
        for field in fields(kind)
        if plain(field.name) in SECRET_NAMES and not holds_card(hints[field.name])
    ]


def secret_inputs(schema: type[ma.Schema]) -> set[str]:
    """Return the fields of a schema that take a number or code themselves."""
    declared: dict[str, ma.fields.Field[Any]] = schema._declared_fields
    return {
        name
        for name, field in declared.items()
        if not isinstance(field, ma.fields.Nested)
        and {plain(name), plain(field.data_key or ""), plain(field.attribute or "")} & SECRET_NAMES
    }


def forbidden_reads(module: Module) -> list[str]:
    """Return where ``pan`` or ``cvv`` of something is read, by a module that may not."""
    found = []
    for name, readers in (("pan", PAN_READERS), ("cvv", CVV_READERS)):
        if not module.is_in(*readers):
            found += [
                f"{module.name}:{node.lineno} reads {name}"
                for node in ast.walk(module.tree)
                if isinstance(node, ast.expr) and _attribute_of(node).lstrip("_") == name
            ]
    return found


def _attribute_of(node: ast.expr) -> str:
    """Return what ``x.name`` and ``getattr(x, "name")`` read."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("getattr", "attrgetter")):
        texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        return str(texts[0]) if texts else ""
    return ""


def carriers() -> frozenset[str]:
    """Return the names of the types that are or hold a card."""
    holding = {
        kind.__name__
        for kind in classes()
        if is_dataclass(kind) and any(holds_card(hint) for hint in get_type_hints(kind).values())
    }
    return frozenset({CardData.__name__, *holding})


def logged_cards(module: Module, carrying: frozenset[str]) -> list[str]:
    """Return the log calls with a card, a part of one, or something that holds one among their arguments."""
    tree = module.tree
    holders = {
        name
        for node in ast.walk(tree)
        for name, annotation in _annotations(node)
        if carrying & {part.id for part in ast.walk(annotation) if isinstance(part, ast.Name)}
    }
    secret = SECRET_NAMES | PARTS | {plain(name) for name in holders}
    return [
        f"{module.name}:{call.lineno} logs {name}"
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and _is_log_call(call)
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        for name in _names(argument)
        if plain(name.lstrip("_")) in secret
    ]


def _annotations(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.arg) and node.annotation is not None:
        yield node.arg, node.annotation
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.annotation


def _is_log_call(call: ast.Call) -> bool:
    if ast.unparse(call.func) == "print":
        return True
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in LOG_METHODS
        and "log" in ast.unparse(call.func.value).lower()
    )


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the names of what is shown: ``b`` of ``a.b``, and also ``a`` of ``a.b()`` and ``f(a)``."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    else:
        for child in ast.iter_child_nodes(node):
            is_method = isinstance(node, ast.Call) and child is node.func
            yield from _names(child.value if is_method and isinstance(child, ast.Attribute) else child)


def forbidden_imports(module: Module, forbidden: tuple[str, ...]) -> list[str]:
    """Return the imports of the type of cards, by a module of a part that may not know it."""
    if module.is_in(*IMPORTERS) and not module.is_in(*forbidden):
        return []
    return [
        f"{module.name}:{node.lineno} imports {TYPE_OF_CARDS}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and TYPE_OF_CARDS in _imported(node)
    ]


def _imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)}


def contract() -> tuple[str, ...]:
    """Return the parts that .importlinter keeps from card numbers."""
    parser = configparser.ConfigParser()
    parser.read_string(CONTRACTS.read_text())
    section = parser["importlinter:contract:card-data"]
    assert section["type"] == "forbidden"
    assert section["forbidden_modules"].split() == [TYPE_OF_CARDS]
    return tuple(name.removeprefix("payment_service.") for name in section["source_modules"].split())


def test_no_dataclass_has_a_number_or_code_of_a_plain_type() -> None:
    walked = [kind for kind in classes() if is_dataclass(kind)]

    assert [wrong for kind in walked for wrong in plain_fields(kind)] == []
    assert {"ProviderCharge", "SubmittedForm", "CardPayment"} <= {kind.__name__ for kind in walked}


def test_a_planted_plain_field_is_found() -> None:
    @dataclass
    class Planted:
        card: CardData | None
        card_number: str
        cvv: str | None
        card_last4: str

    assert [wrong.rpartition(".")[2] for wrong in plain_fields(Planted)] == ["card_number", "cvv"]


def test_only_two_schemas_take_a_number_and_both_load_the_one_type() -> None:
    walked = [kind for kind in classes() if issubclass(kind, ma.Schema)]
    taking = {kind for kind in walked if secret_inputs(kind)}

    assert taking == {CardSchema, LabCardSchema}
    app = Flask(__name__)
    app.config["PANS_WITHOUT_LUHN"] = frozenset()
    with app.app_context():
        card = CardSchema().load(
            {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2031, "cvc": "987"}
        )
        same = LabCardSchema().load(
            {"cardNumber": "4242 4242 4242 4242", "expirationDate": "2031-12", "cardCode": "987"}
        )
    assert type(card) is type(same) is CardData
    assert card == same
    for schema in (CardSchema(), LabCardSchema()):
        assert "4242" not in str(schema.dump(card))
        assert "987" not in str(schema.dump(card))


@pytest.mark.parametrize(
    "field", [{"cardNumber": ma.fields.String()}, {"code": ma.fields.String(data_key="cvc")}]
)
def test_a_planted_field_of_a_schema_is_found(field: dict[str, ma.fields.Field[Any]]) -> None:
    assert secret_inputs(ma.Schema.from_dict(field)) == set(field)


def test_numbers_and_codes_are_read_only_by_providers_and_numbers_by_the_vault() -> None:
    assert [wrong for module in modules() for wrong in forbidden_reads(module)] == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("payment_service.processing.planted", "def f(card): return card.pan"),
        ("payment_service.processing.planted", "def f(card): return card._pan"),
        ("payment_service.controllers.planted", "def f(body): return getattr(body.card, 'cvv')"),
        ("payment_service.vault.planted", "def f(card): return [card.pan, card.cvv]"),
        ("payment_service.values.cards_planted", "def f(card): return card.pan"),
    ],
)
def test_a_planted_read_is_found(name: str, source: str) -> None:
    assert len(forbidden_reads(Module(name, source))) == 1


def test_no_log_call_gets_a_card_or_its_parts() -> None:
    carrying, walked = carriers(), modules()

    assert [wrong for module in walked for wrong in logged_cards(module, carrying)] == []
    calls = [
        node
        for module in walked
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and _is_log_call(node)
    ]
    assert len(calls) > 20


@pytest.mark.parametrize(
    "source",
    [
        "log.info('paid', card=card)",
        "log.info('paid', card=repr(request.card))",
        "log.info(f'paid with {card.pan}')",
        "log.bind(number=data['x'], code=card.cvv)",
        "logging.getLogger().warning('%s', number)",
        "print(card)",
        "log.info('paid', last4=attempt.card_last4)",
        "log.info('paid', parts=charge.card._parts())",
        "def f(paid: CardPayment) -> None:\n    log.error('no', what=[paid])",
        "def f() -> None:\n    x: CardData | None = g()\n    log.error('no', what=str(x))",
    ],
)
def test_a_planted_log_call_is_found(source: str) -> None:
    assert logged_cards(Module("payment_service.processing.planted", source), carriers()) != []


def test_what_stands_beside_a_card_may_be_logged() -> None:
    source = "def f(paid: CardPayment) -> None:\n    log.info('paid', actor=paid.actor)"

    assert logged_cards(Module("payment_service.processing.planted", source), carriers()) == []


def test_the_type_of_cards_is_imported_only_where_the_contract_allows_it() -> None:
    forbidden = contract()

    assert [wrong for module in modules() for wrong in forbidden_imports(module, forbidden)] == []
    assert {"app", "cli", "worker", "audit", "queries", "domain", "models", "clients"} <= set(forbidden)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("payment_service.domain.planted", "from payment_service.values.cards import CardData"),
        ("payment_service.worker", "from payment_service.values import cards"),
        ("payment_service.planted", "import payment_service.values.cards"),
    ],
)
def test_a_planted_import_is_found(name: str, source: str) -> None:
    assert len(forbidden_imports(Module(name, source), contract())) == 1


def test_the_checks_see_every_module() -> None:
    files = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in PACKAGE.rglob("*.py")
    }

    assert {module.name for module in modules()} == files
