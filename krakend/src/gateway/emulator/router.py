"""Which endpoint answers a request: one tree of path segments per method, as in gin."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote, quote_plus, unquote_to_bytes

T = TypeVar("T")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_GO_VALID_PATH = re.compile(r"[A-Za-z0-9\-_.~!$&'()*+,;=:@/\[\]]*")
_GO_UNESCAPED = "$&+,/:;=@-_.~"


class MalformedPath(ValueError):
    """A request path that Go's HTTP server refuses before any routing."""


class UnusableParam(ValueError):
    """A path parameter that KrakenD refuses with 400; the text is its answer."""


@dataclass
class _Node(Generic[T]):
    children: dict[str, "_Node[T]"] = field(default_factory=dict)
    param: "_Node[T] | None" = None
    param_name: str = ""  # the same for all routes of a method: KrakenD panics otherwise
    target: T | None = None

    def match(
        self, segments: list[str], depth: int, params: dict[str, str]
    ) -> tuple[T | None, dict[str, str]]:
        if depth == len(segments):
            return self.target, params
        segment = segments[depth]
        target: T | None = None
        found = params
        if segment in self.children:
            target, found = self.children[segment].match(segments, depth + 1, params)
        is_last = depth == len(segments) - 1
        if target is None and self.param is not None and (segment or not is_last):  # empty: inside only
            target, found = self.param.match(segments, depth + 1, {**params, self.param_name: segment})
        return target, found


class Router(Generic[T]):
    """Paths such as `/orders/{id}`, each with one target per method; static segments beat parameters."""

    def __init__(self, routes: Iterable[tuple[str, str, T]]) -> None:
        self._trees: dict[str, _Node[T]] = {}  # in order of registration: the order of `Allow`
        for method, path, target in routes:
            self._add(self._trees.setdefault(method, _Node()), path, target)

    def _add(self, node: _Node[T], path: str, target: T) -> None:
        for segment in path.split("/"):
            if segment.startswith("{"):
                node.param_name = segment[1:-1]
                node.param = node.param or _Node()
                node = node.param
            else:
                node = node.children.setdefault(segment, _Node())
        node.target = target

    def match(self, method: str, path: str) -> tuple[T | None, dict[str, str]]:
        """The target and its parameters; without a target, the parameters met before the way ended."""
        tree = self._trees.get(method)
        return tree.match(path.split("/"), 0, {}) if tree else (None, {})

    def allowed_methods(self, path: str) -> list[str]:
        return [method for method in self._trees if self.match(method, path)[0] is not None]


def decode_path(target: str) -> str:
    """The path of a request target, decoded once; `%2F` becomes a separator like any other slash."""
    if not target.startswith("/"):  # absolute form, as sent to a forward proxy
        _, _, rest = target.partition("://")
        target = "/" + rest.partition("/")[2]
    path = target.partition("?")[0]
    if "%" not in path:
        return path
    if _BAD_ESCAPE.search(path):
        raise MalformedPath(path)
    return unquote_to_bytes(path).decode("utf-8", "surrogateescape")


def forwarded_query(target: str, allowed: Iterable[str]) -> str:
    """The listed parameters of a request target, written again as Go does it: `?name=value&…`, or nothing.

    `*` lists all. The names are in order; a pair that holds `;` or a bad escape is dropped (net/url,
    parseQuery).
    """
    listed = {name.encode() for name in allowed}
    found: dict[bytes, list[bytes]] = {}
    for pair in target.partition("?")[2].split("&") if listed else ():
        if not pair or ";" in pair or _BAD_ESCAPE.search(pair):
            continue
        name, _, value = (
            unquote_to_bytes(part.replace("+", " ").encode("utf-8", "surrogateescape"))
            for part in pair.partition("=")
        )
        if name in listed or b"*" in listed:
            found.setdefault(name, []).append(value)
    pairs = [f"{quote_plus(name)}={quote_plus(value)}" for name in sorted(found) for value in found[name]]
    return f"?{'&'.join(pairs)}" if pairs else ""


def check_params(params: Mapping[str, str]) -> None:
    """Refuse parameters that still hold an escape, `?` or `#` after one decoding."""
    for value in params.values():
        if bad := _BAD_ESCAPE.search(value):
            raise UnusableParam(f'error: invalid URL escape "{bad[0]}"')
        if any(character in value for character in "%?#"):
            raise UnusableParam("error: encoded url params")


def backend_path(pattern: str, params: Mapping[str, str]) -> str | None:
    """The path to ask the backend for, encoded as Go does it; None if Go could not parse it as an address."""
    path = pattern
    for name, value in params.items():
        path = path.replace(f"{{{name}}}", value)
    if _GO_VALID_PATH.fullmatch(path):
        return path
    if _CONTROL.search(path):
        return None
    return quote(path.encode("utf-8", "surrogateescape"), safe=_GO_UNESCAPED)
