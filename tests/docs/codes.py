"""Every problem code and decline code that payment-service answers with, and the tables that explain them.

What the codes are is read off the code; what they mean stands in docs/reference/codes.toml.
"""

import ast
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bank_simulator.values.vocabulary import DeclineCode
from payment_service.errors import ClientRefused
from payment_service.problems import STATUSES
from payment_service.refusals import REFUSALS
from payment_service.values.statuses import FRAUDULENT, TOO_MANY_CARDS
from service_kit.web.problems import code_of_status

CHECKOUT = Path(__file__).resolve().parents[2]
MEANINGS = CHECKOUT / "docs" / "reference" / "codes.toml"
_PRODUCT = CHECKOUT / "payment-service/src/payment_service"
_SOURCES = (*_PRODUCT.rglob("*.py"), *(CHECKOUT / "service-kit/src/service_kit/web").glob("*.py"))
# These commands are run by operators alone, on the command line.
_OPERATORS = _PRODUCT / "commands" / "access"
# What Flask, werkzeug and the lab's parser raise, and what stands in a problem's code then.
_OF_HTTP = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)


def problem_codes() -> dict[str, int]:
    """Return the codes of problem documents, and the status that each comes with."""
    return {
        **{code: status.value for status, code in STATUSES.values()},
        **{refusal.code: refusal.status.value for refusal in REFUSALS.values()},
        **{code_of_status(status): status.value for status in _OF_HTTP},
        **dict(_made_in_place()),
        **{f"{what.replace(' ', '_')}_not_found": HTTPStatus.NOT_FOUND.value for what in _not_found()},
    }


def oauth_codes() -> dict[str, int]:
    """Return the codes of the token endpoint."""
    refused = dict.fromkeys(_first_texts("TokenRefused"), HTTPStatus.BAD_REQUEST.value)
    return {**refused, ClientRefused.code: HTTPStatus.UNAUTHORIZED.value}


def decline_codes() -> dict[str, int]:
    """Return the codes of the only provider, and those of our own checks."""
    codes = [*(code.value for code in DeclineCode), FRAUDULENT, TOO_MANY_CARDS]
    return dict.fromkeys(codes, HTTPStatus.PAYMENT_REQUIRED.value)


CODES: Mapping[str, Callable[[], dict[str, int]]] = {
    "problems": problem_codes,
    "oauth": oauth_codes,
    "declines": decline_codes,
}


@cache
def meanings() -> Mapping[str, Any]:
    """Return what stands in codes.toml."""
    return tomllib.loads(MEANINGS.read_text())


def table(kind: str, language: str) -> tuple[str, list[tuple[str, ...]]]:
    """Return the head and the rows of a table, in the order of codes.toml."""
    texts, statuses = meanings(), CODES[kind]()
    columns = ["code", *(["status"] if kind != "declines" else []), "meaning", "money", "retry", "next"]
    rows = []
    for code, entry in texts[kind].items():
        cells = {
            "code": f"`{code}`",
            "status": str(statuses[code]),
            "money": texts["money"][entry["money"]][language],
            "retry": texts["retry"][entry["retry"]][language],
            **entry[language],
        }
        rows.append(tuple(cells[column] for column in columns))
    return " | ".join(texts["heads"][language][column] for column in columns), rows


def _made_in_place() -> Iterator[tuple[str, int]]:
    """Yield what is written ``Problem(HTTPStatus.X, "code", …)``."""
    for call in _calls("Problem"):
        match call.args:
            case [ast.Attribute(attr=status), ast.Constant(value=str(code)), *_]:
                yield code, HTTPStatus[status].value


def _not_found() -> set[str]:
    return set(_first_texts("NotFound"))


def _first_texts(name: str) -> Iterator[str]:
    for call in _calls(name):
        match call.args:
            case [ast.Constant(value=str(text)), *_]:
                yield text


def _calls(name: str) -> Iterator[ast.Call]:
    """Yield the calls of ``name`` in what clients can reach; tokens are given by a command of operators."""
    for source in _SOURCES:
        if _OPERATORS in source.parents and source.stem != "issue_token":
            continue
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name:
                yield node
