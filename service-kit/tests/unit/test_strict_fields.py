"""Numbers are looked at before they are computed, as text and as JSON's numbers."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError
from service_kit.decimals import read_decimal
from service_kit.web import strict_json
from service_kit.web.strict_fields import QueryInteger, StrictDecimal, StrictFloat, UtcTime

RATE = StrictDecimal(r"[0-9]{1,2}(\.[0-9]{1,4})?", metadata={"description": "A rate."})
# Short texts that mean long numbers, and texts that only Python takes for numbers.
NO_PLAIN_TEXTS = [
    *(
        "1e-100000000",
        "1e100000000",
        "1e-5000000",
        "0e-5000000",
        "1e1",
        "1E1",
        "9" * 50_000,
        "0." + "3" * 50_000,
    ),
    *("1_0", "\u0662\u0660", "\uff11", " 5 ", "5\n", "-0", "-5", "+5", "5.", ".5", "5,5", "0x5", ""),
    *("NaN", "sNaN", "Infinity", "-Infinity", "inf"),
]


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("20", "20"),
        ("5.50", "5.50"),
        ("0.0001", "0.0001"),
        ("05", "5"),
        (20, "20"),
        (0, "0"),
        (Decimal("5.5"), "5.5"),
        (Decimal("2E+1"), "20"),
        (Decimal("1E-4"), "0.0001"),
    ],
)
def test_a_plain_decimal_comes_as_text_or_number_and_is_shown_as_text(value: Any, meant: str) -> None:
    number = RATE.deserialize(value)

    assert number == Decimal(meant)
    assert RATE.serialize("rate", {"rate": number}) == (
        value if isinstance(value, str) and value != "05" else meant
    )


@pytest.mark.parametrize(
    "value",
    [
        *NO_PLAIN_TEXTS,
        *(100, -1, 10**4000, Decimal("99.99999"), Decimal("-0.5"), True, False, 5.5, None, [], {}, ["5"]),
        *map(
            Decimal,
            ("1e-100000000", "1e100000000", "1e-999999999999999999", "0e-100000000", "NaN", "Infinity"),
        ),
    ],
    ids=lambda value: repr(value)[:30] if not isinstance(value, int) or value < 1000 else "large",
)
def test_anything_else_is_refused_before_it_is_written_out(value: Any) -> None:
    with pytest.raises(ValidationError):
        RATE.deserialize(value)


@given(st.text() | st.decimals() | st.integers() | st.booleans() | st.none())
def test_what_is_taken_fits_the_pattern(value: Any) -> None:
    pattern = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")

    number = read_decimal(value, pattern)

    assert number is None or pattern.fullmatch(f"{number:f}")


def test_the_description_holds_what_is_checked() -> None:
    assert RATE.metadata == {
        "type": ["string", "number"],
        "pattern": r"^[0-9]{1,2}(\.[0-9]{1,4})?$",
        "description": "A rate.",
    }


@pytest.mark.parametrize("text", [*(text for text in NO_PLAIN_TEXTS if text != "-5"), "1.0", "05", "9" * 20])
def test_a_whole_number_of_a_query_is_written_as_json_writes_it(text: str) -> None:
    with pytest.raises(ValidationError):
        QueryInteger().deserialize(text)


@given(st.integers(-(10**19) + 1, 10**19 - 1))
def test_every_whole_number_of_a_query_is_read(number: int) -> None:
    assert QueryInteger().deserialize(str(number)) == number


@pytest.mark.parametrize("text", [*NO_PLAIN_TEXTS, "0.5", "1"])
def test_text_is_no_number(text: str) -> None:
    schema = Schema.from_dict({"rate": StrictFloat()})()

    with pytest.raises(ValidationError):
        schema.load({"rate": text})
    assert schema.load(strict_json.loads(b'{"rate":0.05}')) == {"rate": 0.05}


@pytest.mark.parametrize(
    ("text", "loaded"),
    [
        ("2026-11-21T10:00:00+01:00", "2026-11-21T09:00:00+00:00"),
        ("1000-01-01T00:00:00Z", "1000-01-01T00:00:00+00:00"),
        ("0001-01-01T00:00:00+01:00", "1000-01-01T00:00:00+00:00"),
        ("0999-12-31T23:59:59-23:59", "1000-01-01T23:58:59+00:00"),
        ("9999-12-31T23:59:59-05:00", "9998-12-31T00:00:00+00:00"),
    ],
)
def test_a_time_is_loaded_as_utc_up_to_the_ends_of_what_there_can_be(text: str, loaded: str) -> None:
    assert UtcTime().deserialize(text) == datetime.fromisoformat(loaded)
