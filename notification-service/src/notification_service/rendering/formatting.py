"""Amounts and moments as each language writes them."""

from datetime import datetime
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import NumberPattern, format_decimal, parse_pattern
from service_kit.clock import offset_name
from service_kit.currencies import currency_exponent

from notification_service.values.money import currency_symbol, to_decimal
from notification_service.values.vocabulary import MailLocale

NO_BREAK_SPACE = "\u00a0"


def format_amount(amount_minor: int, currency: str, locale: MailLocale) -> str:
    """Return the amount with all decimals of its currency: ``3 999,98 MAD``, ``€1,234.50``, ``¥1,200``."""
    number = to_decimal(amount_minor, currency)
    text: str = _pattern(locale, currency).apply(
        number, _babel(locale), currency=currency, currency_digits=False, group_separator=True
    )
    return text


def format_number(number: int | Decimal, locale: MailLocale) -> str:
    """Return a quantity or a rate without zeros at its end: ``1 000``, ``20,5``."""
    return format_decimal(number, "#,##0.####", locale=_babel(locale))


def format_moment(moment: datetime, zone: ZoneInfo, pattern: str, locale: MailLocale) -> str:
    """Return the moment on the clocks of ``zone``, and how far these are from UTC."""
    local = moment.astimezone(zone)
    text = format_datetime(local, pattern, tzinfo=zone, locale=_babel(locale))
    return f"{text} ({offset_name(local)})"


@cache
def _babel(locale: MailLocale) -> Locale:
    return Locale.parse(locale.value)


@cache
def _pattern(locale: MailLocale, currency: str) -> NumberPattern:
    language = _babel(locale)
    decimals = "0" * currency_exponent(currency)
    pattern: str = language.currency_formats["standard"].pattern
    pattern = pattern.replace(".00", f".{decimals}" if decimals else "")
    if pattern.startswith("¤#") and currency_symbol(currency, language)[-1].isalpha():
        # CLDR's rule for letters beside digits, which Babel does not apply: MAD 5, but €5.
        pattern = pattern.replace("¤", f"¤{NO_BREAK_SPACE}")
    return parse_pattern(pattern)
