from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notification_service.rendering.formatting import format_amount, format_moment
from notification_service.values.money import to_decimal
from notification_service.values.vocabulary import MailLocale
from service_kit.currencies import CURRENCIES, currency_exponent

FR, EN = MailLocale.FR, MailLocale.EN
THIN, NBSP = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("amount_minor", "currency", "french", "english"),
    [
        (399998, "MAD", f"3{THIN}999,98{NBSP}MAD", f"MAD{NBSP}3,999.98"),
        (123450, "EUR", f"1{THIN}234,50{NBSP}€", "€1,234.50"),
        (5, "USD", f"0,05{NBSP}$US", "$0.05"),
        (1200, "JPY", f"1{THIN}200{NBSP}JPY", "¥1,200"),
        (12345, "TND", f"12,345{NBSP}TND", f"TND{NBSP}12.345"),
        (1, "IQD", f"0,001{NBSP}IQD", f"IQD{NBSP}0.001"),
        (
            10**15,
            "MAD",
            f"10{THIN}000{THIN}000{THIN}000{THIN}000,00{NBSP}MAD",
            f"MAD{NBSP}10,000,000,000,000.00",
        ),
    ],
)
def test_amounts_are_written_as_each_language_does(
    amount_minor: int, currency: str, french: str, english: str
) -> None:
    assert format_amount(amount_minor, currency, FR) == french
    assert format_amount(amount_minor, currency, EN) == english


@given(
    amount_minor=st.integers(1, 10**15),
    currency=st.sampled_from(sorted(CURRENCIES)),
    locale=st.sampled_from(MailLocale),
)
def test_no_digit_of_an_amount_is_lost(amount_minor: int, currency: str, locale: MailLocale) -> None:
    text = format_amount(amount_minor, currency, locale)

    digits = "".join(character for character in text if character.isdecimal())
    assert int(digits) == amount_minor
    assert to_decimal(amount_minor, currency) * 10 ** currency_exponent(currency) == Decimal(amount_minor)


def test_moments_are_written_on_the_clocks_of_the_zone() -> None:
    moment = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)

    casablanca = format_moment(moment, ZoneInfo("Africa/Casablanca"), "d MMMM y 'à' HH:mm", FR)
    kathmandu = format_moment(moment, ZoneInfo("Asia/Kathmandu"), "d MMMM y HH:mm", EN)
    st_johns = format_moment(moment, ZoneInfo("America/St_Johns"), "d MMMM y HH:mm", EN)
    utc = format_moment(moment, ZoneInfo("UTC"), "d MMMM y HH:mm", EN)

    assert casablanca == "2 juillet 2026 à 00:30 (UTC+1)"
    assert kathmandu == "2 July 2026 05:15 (UTC+5:45)"
    assert st_johns == "1 July 2026 21:00 (UTC−2:30)"  # noqa: RUF001  a real minus sign
    assert utc == "1 July 2026 23:30 (UTC)"


def test_morocco_leaves_summer_time_in_ramadan() -> None:
    ramadan = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    assert format_moment(ramadan, ZoneInfo("Africa/Casablanca"), "HH:mm", FR) == "12:00 (UTC)"
