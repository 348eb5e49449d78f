"""Finds a secret number wherever it may have got to (files, cells, JSON), however it is written there."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# What people and programs put between groups of digits, also in an address (%20, +).
_MARKS = ("%20", *" \t.,+_/-", "\u00a0", *map(chr, range(0x2010, 0x2015)))
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_GROUPED = re.compile(r"(?<=\d)(?=(?:\d{4})+$)")


class NumberTraces:
    """All the ways in which a long number can be written, to be searched for in bytes."""

    def __init__(self, digits: str) -> None:
        self.digits = digits
        self._patterns = {**_text_patterns(digits), **_binary_patterns(digits)}

    def forms_in(self, data: bytes) -> list[str]:
        """Return the names of the forms in which ``data`` holds the number."""
        return [name for name, pattern in self._patterns.items() if pattern.search(data)]


def traces_in_files(numbers: Sequence[NumberTraces], files: Sequence[Path]) -> list[str]:
    """Return ``file: form`` for every trace of every number; files are read as bytes, whatever they are."""
    return [
        f"{file.name}: {form} of …{number.digits[-4:]}"
        for file in files
        for data in [file.read_bytes()]
        for number in numbers
        for form in number.forms_in(data)
    ]


def holds_value(found: Any, secret: str) -> bool:
    """Whether a cell, a JSON document or a log line is ``secret``, or has it as a value or name inside.

    A short secret stands by chance inside longer texts, which therefore do not count; JSON in a text does.
    """
    return any(value == secret for value in _values(found))


def _values(found: Any) -> Iterator[str]:
    if isinstance(found, bytes):
        found = found.decode("utf-8", "replace")
    if isinstance(found, Mapping):
        for name, inner in found.items():
            yield str(name)
            yield from _values(inner)
    elif isinstance(found, list | tuple):
        for inner in found:
            yield from _values(inner)
    elif isinstance(found, str):
        yield found.strip()
        if found.lstrip()[:1] in {"{", "[", '"'}:
            try:
                yield from _values(json.loads(found))
            except ValueError:  # it only looked like JSON
                return
    elif found is not None:
        yield str(found)


def _text_patterns(digits: str) -> dict[str, re.Pattern[bytes]]:
    """Return patterns for the digits in every encoding, with or without marks between them."""
    patterns = {}
    for encoding in _ENCODINGS:
        marks = b"|".join(re.escape(mark.encode(encoding)) for mark in _MARKS)
        between = b"(?:" + marks + b"){0,2}"
        patterns[encoding] = re.compile(between.join(re.escape(digit.encode(encoding)) for digit in digits))
    return patterns


def _binary_patterns(digits: str) -> dict[str, re.Pattern[bytes]]:
    """Return patterns for base64 and hex of the digits, for the whole number, and for bare hashes."""
    grouped = [_GROUPED.sub(mark, digits) for mark in ("", " ", "-")]
    literals: dict[str, list[bytes]] = {
        "base64": [core for text in grouped for core in _base64_cores(text.encode())],
        "hex": [text.encode().hex().encode() for text in grouped],
        "integer": [int(digits).to_bytes(8, "big"), int(digits).to_bytes(8, "little")],
        # MySQL stores a signed integer with its sign turned round.
        "integer of MySQL": [(int(digits) + 2**63).to_bytes(8, "big")],
        "bare hash": [
            form
            for name in ("md5", "sha1", "sha256")
            for digest in [hashlib.new(name, digits.encode(), usedforsecurity=False).digest()]
            for form in (digest, digest.hex().encode(), base64.b64encode(digest).rstrip(b"="))
        ],
    }
    return {
        name: re.compile(b"|".join(map(re.escape, forms)), re.IGNORECASE if name == "hex" else 0)
        for name, forms in literals.items()
    }


def _base64_cores(data: bytes) -> Iterator[bytes]:
    """Yield what stays of base64 of ``data`` wherever it begins in a longer text: there are three ways."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data)
        first = -(-before * 4 // 3) if before else 0
        last = (before + len(data)) * 8 // 6
        yield encoded[first:last]
