import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_kit.web import strict_json
from service_kit.web.strict_json import MAX_DEPTH, MalformedJson


def test_numbers_are_exact() -> None:
    assert strict_json.loads(b'{"a":21999.890000000003,"b":7,"c":1e2}') == {
        "a": Decimal("21999.890000000003"),
        "b": 7,
        "c": 100,
    }
    assert strict_json.dumps({"a": Decimal("3999.98"), "b": Decimal("59.50")}) == '{"a":3999.98,"b":59.50}'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1.0", 1),
        (b"-20.00", -20),
        (b"1e2", 100),
        (b"1.5e1", 15),
        (b"-0.0", 0),
        (b"9223372036854775807.0", 2**63 - 1),
        (b"1.5", Decimal("1.5")),
        (b"1e-2", Decimal("0.01")),
        (b"-0", 0),
        (b"1e19", Decimal("1e19")),
        (b"1.7976931348623157e308", Decimal("1.7976931348623157e308")),
        (b"5e-324", Decimal("5e-324")),
        (b"1e1000", Decimal("1e1000")),
        (b"1e-1000", Decimal("1e-1000")),
        (b"9" * 100, 10**100 - 1),
        (b"1." + b"0" * 98, 1),
    ],
)
def test_a_whole_number_is_an_integer_however_it_is_written(text: bytes, value: int | Decimal) -> None:
    found = strict_json.loads(text)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":1}{"b":2}',
        b'{"a":01}',
        b'{"a":.5}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1,"a":1}',
        b'{"x":{"a":1,"a":2}}',
        b'"\xff"',
        b"\xfe\xff\x00{",
        b'"\\ud800"',
        b'{"\\ud800":1}',
        b'"\x00"',
        b'"a\nb"',
        b'"unfinished',
        b'"\\"' * 3,
        b"1" * 5000,
        b"1e99999999999999999999999",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_strict_json_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(MalformedJson) as caught:
        strict_json.loads(body)
    assert "1111" not in str(caught.value)


@pytest.mark.parametrize(
    "number",
    [
        b"1e1001",
        b"1e-1001",
        b"10e1000",
        b"0.1e-1000",
        b"0e1001",
        b"0e-100000000",
        b"1e100000000",
        b"1e-100000000",
        b"-1e-200000000",
        b"1e99999999999999999999",
        b"1e-99999999999999999999",
        b"9" * 101,
        b"-" + b"9" * 100,
        b"9" * 50_000,
        b"0." + b"3" * 50_000,
        b"1." + b"0" * 99,
        b"1e" + b"1" * 50_000,
    ],
    ids=lambda number: repr(number[:24]),
)
def test_a_number_that_could_fill_the_memory_is_refused_by_its_text(number: bytes) -> None:
    for body in (number, b'{"a":[%s]}' % number):
        with pytest.raises(MalformedJson, match="a number"):
            strict_json.loads(body)


def test_text_may_be_written_with_or_without_escapes() -> None:
    text = strict_json.dumps({"é": "💳"}, only_ascii=False)

    assert text == '{"é":"💳"}'
    assert strict_json.dumps({"é": "💳"}) == r'{"\u00e9":"\ud83d\udcb3"}'
    assert strict_json.loads(text.encode()) == {"é": "💳"}


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_the_depth_ends_where_it_says(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"

    strict_json.loads(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH)

    with pytest.raises(MalformedJson, match="deeper"):
        strict_json.loads(opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1))


def test_brackets_inside_strings_are_no_depth() -> None:
    assert strict_json.loads(b'"' + b"[" * 1000 + b'"') == "[" * 1000
    assert strict_json.loads(b'["\\"' + b"{" * 1000 + b'\\\\"]') == ['"' + "{" * 1000 + "\\"]


@pytest.mark.parametrize(
    "body", [b'"' + b'\\"' * 32_000, b'"' * 64_001, b'"' + b"\\" * 64_000, b"[" * 64_000]
)
def test_a_hostile_body_costs_no_more_than_its_length(body: bytes) -> None:
    began_s = time.process_time()

    with pytest.raises(MalformedJson):
        strict_json.loads(body)
    assert time.process_time() - began_s < 5  # of this process, whatever others do meanwhile


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**98), 10**98) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_what_the_standard_library_writes_is_read_back(value: Any) -> None:
    assert strict_json.loads(json.dumps(value).encode()) == value
    assert strict_json.loads(strict_json.dumps(value).encode()) == value


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\0159eE+-.ntu ', max_size=200).map(str.encode))
def test_junk_is_read_or_refused_and_nothing_else(body: bytes) -> None:
    try:
        strict_json.loads(body)
    except MalformedJson:
        return
    json.loads(body)  # what we take, everybody takes
