"""The two languages of the pages: which one to speak, its sentences, its amounts and dates."""

import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from babel.dates import format_datetime
from babel.numbers import format_currency
from service_kit.currencies import currency_exponent
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from payment_service.values.money import Money


class Language(StrEnum):
    FR = "fr"
    EN = "en"


_TEXTS = Path(__file__).parents[1] / "templates" / "texts"
CATALOGUES: Mapping[Language, Mapping[str, str]] = {
    language: tomllib.loads((_TEXTS / f"{language}.toml").read_text("utf-8")) for language in Language
}


def choose_language(accept_language: str | None) -> Language:
    """Return the language that the header prefers (RFC 9110, 12.5.4); French when it says nothing of ours.

    The merchants are Moroccan: a browser that asks for Arabic only belongs to a person who more likely reads
    French than English.
    """
    accepted = parse_accept_header(accept_language, LanguageAccept)
    return Language(accepted.best_match(list(Language), default=Language.FR))


def say(language: Language, key: str, **values: str) -> str:
    """Return the sentence ``key`` with its values put in; plain text, which the template escapes."""
    sentence = CATALOGUES[language][key]
    if language is Language.FR:
        sentence = _SPACE_BEFORE_SIGN.sub("\N{NO-BREAK SPACE}", sentence)
    return sentence.format_map(values)


def has_text(key: str) -> bool:
    return key in CATALOGUES[Language.FR]


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


def format_moment(moment: datetime, language: Language) -> str:
    """Return the day and the minute of ``moment`` in UTC, and say that it is UTC."""
    return format_datetime(moment, _MOMENT_PATTERNS[language], locale=language)


# French sets a no-break space before these signs; in the catalogue it is a plain space, which one can see.
_SPACE_BEFORE_SIGN = re.compile(r" (?=[:;!?»])")
# ¤¤ is the ISO code in a CLDR pattern. Babel's English pattern would glue it to the number.
_AMOUNT_PATTERNS = {Language.FR: "{number}\N{NO-BREAK SPACE}¤¤", Language.EN: "¤¤\N{NO-BREAK SPACE}{number}"}
_MOMENT_PATTERNS = {Language.FR: "d MMMM y 'à' HH:mm 'UTC'", Language.EN: "d MMMM y 'at' HH:mm 'UTC'"}
