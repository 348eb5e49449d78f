"""The currencies are those of ISO 4217's first list that somebody pays with."""

import pytest
from service_kit.currencies import CURRENCIES, currency_exponent, is_currency

REPLACED = "DEM FRF MRO BYR XEU HRK BGN ANG ZWL SLL VEF STD CUC"
NOT_PAID_WITH = "XAU XAG XPT XPD XDR XUA XSU XBA XTS XXX CLF UYI UYW COU MXV BOV CHE CHW USN"


@pytest.mark.parametrize("code", [*REPLACED.split(), *NOT_PAID_WITH.split(), "mad", "ZZZ", "", "MAD "])
def test_what_nobody_pays_with_is_no_currency(code: str) -> None:
    assert not is_currency(code)


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("MAD", 2),
        ("EUR", 2),
        ("USD", 2),
        ("JPY", 0),
        ("ISK", 0),
        ("TND", 3),
        ("KWD", 3),
        ("MRU", 2),
        ("XCG", 2),
    ],
)
def test_a_currency_has_the_decimals_of_the_standard(code: str, exponent: int) -> None:
    assert is_currency(code)
    assert currency_exponent(code) == exponent


def test_every_code_is_three_capitals_and_stands_there_once() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert len(CURRENCIES) == 155
