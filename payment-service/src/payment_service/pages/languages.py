"""What the pages say in each language: the sentences, amounts and dates."""

import tomllib
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from babel.dates import format_datetime
from babel.numbers import format_currency, format_decimal
from service_kit.clock import offset_name
from service_kit.currencies import currency_exponent
from service_kit.web.pages import Catalogue, Language

from payment_service.values.money import Money

_FOLDER = Path(__file__).parents[1] / "templates" / "texts"
CATALOGUE = Catalogue(
    {language: tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8")) for language in Language}
)


def format_amount(money: Money, language: Language) -> str:
    """Return the exact amount as a reader of ``language`` writes it, with the currency's ISO code."""
    decimals = currency_exponent(money.currency)
    number = "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_currency(
        money.to_decimal(),
        money.currency,
        format=_AMOUNT_PATTERNS[language].format(number=number),
        locale=language,
        currency_digits=False,
    )


def format_number(number: int | Decimal, language: Language) -> str:
    """Return a quantity or a rate, without zeros at its end."""
    return format_decimal(number, "#,##0.####", locale=language)


def format_moment(moment: datetime, language: Language) -> str:
    """Return the day and the minute of ``moment`` on its own clocks, and how far these are from UTC."""
    text = format_datetime(moment, _MOMENT_PATTERNS[language], tzinfo=moment.tzinfo, locale=language)
    return f"{text} ({offset_name(moment)})"


# ¤¤ is the ISO code in a CLDR pattern. Babel's English pattern would glue it to the number.
_AMOUNT_PATTERNS = {Language.FR: "{number}\N{NO-BREAK SPACE}¤¤", Language.EN: "¤¤\N{NO-BREAK SPACE}{number}"}
_MOMENT_PATTERNS = {Language.FR: "d MMMM y 'à' HH:mm", Language.EN: "d MMMM y 'at' HH:mm"}
