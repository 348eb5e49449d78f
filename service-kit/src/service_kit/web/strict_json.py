"""JSON as payments need it: exact numbers, no duplicate keys, no surprises (RFC 8259, I-JSON RFC 7493)."""

import re
from decimal import Decimal
from typing import Any

import simplejson

MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 100
# More than a double holds (RFC 7493, 2.2), so that a field can say itself what it finds too large. A number
# within both bounds has some 1,100 digits at most when it is written out; a dozen characters beyond could
# mean gigabytes.
MAGNITUDES = range(-1000, 1001)
_MAX_WHOLE_DIGITS = 19

# A string that nobody closes ends with the text: looking for its end again and again takes quadratic time.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
_BEYOND = "The body holds a number that is too large or too small (beyond 1e1000 or 1e-1000)."
_BRACKET = re.compile(r"[\[\]{}]")


class MalformedJson(ValueError):
    """The text is not JSON that we accept; the message says why, without quoting the text."""


def loads(body: bytes) -> Any:
    """Read a JSON text in UTF-8.

    Whole numbers become ``int``, also when written ``1.0`` or ``1e2`` (JSON Schema counts them as integers),
    others :class:`~decimal.Decimal`.

    Raises:
        MalformedJson: not UTF-8, not JSON, NaN or Infinity, a key twice in one object, deeper than
            ``MAX_DEPTH``, a string that is no Unicode text (a lone surrogate), or a number longer than
            ``MAX_NUMBER_LENGTH`` or outside of ``MAGNITUDES``.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise MalformedJson("The body is not UTF-8.") from exc
    _check_depth(text)
    try:
        value = simplejson.loads(
            text,
            parse_int=_whole_number,
            parse_float=_number,
            allow_nan=False,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_without_duplicates,
        )
        if "\\u" in text:
            simplejson.dumps(value, ensure_ascii=False).encode("utf-8")
    except MalformedJson:
        raise
    except UnicodeEncodeError as exc:
        raise MalformedJson("The body holds a string that is not Unicode text.") from exc
    except ValueError as exc:
        raise MalformedJson("The body is not JSON.") from exc
    return value


def dumps(value: Any, *, only_ascii: bool = True) -> str:
    r"""Write JSON; a Decimal is written as the number it is, without binary noise.

    ``only_ascii`` writes ``\u00e9`` for ``é``: three bytes for each one of UTF-8.
    """
    text: str = simplejson.dumps(
        value, use_decimal=True, allow_nan=False, separators=(",", ":"), ensure_ascii=only_ascii
    )
    return text


def _whole_number(text: str) -> int:
    _check_length(text)
    return int(text)


def _number(text: str) -> Decimal | int:
    _check_length(text)
    try:
        value = Decimal(text)
    except ArithmeticError as exc:
        raise MalformedJson(_BEYOND) from exc
    if value.adjusted() not in MAGNITUDES:
        raise MalformedJson(_BEYOND)
    # Larger ones stay as they are written: no column holds them as integers.
    if value.adjusted() < _MAX_WHOLE_DIGITS and value == value.to_integral_value():
        return int(value)
    return value


def _check_length(text: str) -> None:
    if len(text) > MAX_NUMBER_LENGTH:
        raise MalformedJson(f"The body holds a number of more than {MAX_NUMBER_LENGTH} characters.")


def _check_depth(text: str) -> None:
    depth = 0
    for match in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if match.group() in "[{" else -1
        if depth > MAX_DEPTH:
            raise MalformedJson(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _refuse_constant(name: str) -> Any:
    raise MalformedJson(f"{name} is not a JSON number.")


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson("The body holds an object with the same key twice.")
    return members
