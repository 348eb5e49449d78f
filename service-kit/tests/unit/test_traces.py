"""The finder finds: a search that can miss nothing must be shown what it should have found."""

import base64
import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from tests.testkit.databases.traces import NumberTraces, holds_value, traces_in_files

DIGITS = "5105105105105100"
GROUPS = ("5105", "1051", "0510", "5100")
HIDDEN = {
    "as it is": DIGITS.encode(),
    "in a sentence": f"the card {DIGITS} was refused".encode(),
    "in a longer number": f"99{DIGITS}99".encode(),
    **{f"with {mark!r}": mark.join(GROUPS).encode() for mark in (" ", "-", ".", "%20", "+", "\u00a0", " -")},
    "with a dash after each digit": "-".join(DIGITS).encode(),
    **{code: f"x{DIGITS}x".encode(code) for code in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")},
    "grouped in UTF-16": " ".join(GROUPS).encode("utf-16"),
    **{f"base64 after {n} bytes": base64.b64encode(b"x" * n + DIGITS.encode() + b"y" * n) for n in range(7)},
    "base64 of groups": base64.b64encode(b'{"number": "' + " ".join(GROUPS).encode() + b'"}'),
    "hex": DIGITS.encode().hex().upper().encode(),
    "as an integer": int(DIGITS).to_bytes(8, "big"),
    "as MySQL's integer": (int(DIGITS) + 2**63).to_bytes(8, "big"),
    "as a bare hash": hashlib.sha256(DIGITS.encode()).hexdigest().encode(),
    "as the bytes of a bare hash": hashlib.sha256(DIGITS.encode()).digest(),
}


@pytest.mark.parametrize("data", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_number_is_found_however_it_is_written(data: bytes) -> None:
    assert NumberTraces(DIGITS).forms_in(b"\x00\xff before " + data + b" after") != []


@pytest.mark.parametrize(
    "text", ["", DIGITS[:-1], DIGITS[6:], "510510******5100", "5105 1051 0510 510x 0", "4242424242424242"]
)
def test_nothing_is_found_where_nothing_is(text: str) -> None:
    number = NumberTraces(DIGITS)

    assert number.forms_in(text.encode()) == []
    assert number.forms_in(text.encode("utf-16")) == []
    assert number.forms_in(base64.b64encode(text.encode())) == []


@pytest.mark.parametrize("kind", ["text", "integer", "blob", "deleted"])
def test_a_number_in_a_sqlite_file_is_found_as_long_as_it_can_be_read(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "cells.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA secure_delete=OFF").fetchall()
        connection.execute("CREATE TABLE cells (value)")
        value = {"integer": int(DIGITS), "blob": DIGITS.encode()}.get(kind, DIGITS)
        connection.execute("INSERT INTO cells VALUES (?)", (value,))
        connection.commit()
        if kind == "deleted":
            connection.execute("DELETE FROM cells")
            connection.commit()

    assert traces_in_files([NumberTraces("4242424242424242"), NumberTraces(DIGITS)], [file]) != []


@pytest.mark.parametrize(
    "found",
    ["9071", 9071, b"9071", " 9071\n", {"code": 9071}, {"9071": 1}, {"a": [{"b": "9071"}]}, [None, "9071"],
     '{"code": "9071"}', '{"body": "{\\"cvv\\": 9071}"}', '["9071"]', '"9071"'],
)  # fmt: skip
def test_a_short_secret_is_found_where_it_is_a_value(found: object) -> None:
    assert holds_value(found, "9071")


@pytest.mark.parametrize(
    "found", [None, "", "19071", 19071, "req_9071ab", 9071.5, "9071 of them", {"a": "x"}, "[9071", "{9071}"]
)
def test_a_short_secret_inside_something_else_does_not_count(found: object) -> None:
    assert not holds_value(found, "9071")


def test_json_in_a_text_is_read_as_deep_as_it_goes() -> None:
    inner: object = "9071"
    for _ in range(5):
        inner = json.dumps({"inner": inner})

    assert holds_value(inner, "9071")
