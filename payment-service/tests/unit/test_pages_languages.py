"""Which language a page speaks, and that it says the same in both."""

from datetime import UTC, datetime
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from payment_service.pages.languages import CATALOGUE, format_amount, format_moment
from payment_service.values.money import Money
from service_kit.web.pages import Language, choose_language


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "fr"),
        ("", "fr"),
        ("*", "fr"),
        ("fr-MA,fr;q=0.9,en;q=0.8", "fr"),
        ("en", "en"),
        ("en-GB,en-US;q=0.9", "en"),
        ("EN-us", "en"),
        ("fr;q=0.4, en;q=0.5", "en"),
        ("fr;q=0, en;q=0.1", "en"),
        ("ar-MA,ar;q=0.9", "fr"),
        ("ar-MA,ar;q=0.9,en;q=0.5", "en"),
        ("de;q=0.9, fr;q=0.8, en;q=0.7", "fr"),
        ("en;q=nonsense;;,,=", "fr"),
        ("\x00\xff" * 500, "fr"),
    ],
)
def test_the_browsers_preference_decides_and_french_is_the_default(header: str | None, expected: str) -> None:
    assert choose_language(header) == expected


def test_both_languages_have_the_same_sentences() -> None:
    assert set(CATALOGUE.texts[Language.FR]) == set(CATALOGUE.texts[Language.EN])


@pytest.mark.parametrize("key", sorted(CATALOGUE.texts[Language.FR]))
def test_a_sentence_has_the_same_placeholders_in_both_languages(key: str) -> None:
    french, english = (
        {name for _, name, _, _ in Formatter().parse(CATALOGUE.texts[language][key]) if name}
        for language in Language
    )

    assert french == english


@pytest.mark.parametrize("language", list(Language))
def test_no_sentence_is_empty_or_has_double_spaces(language: Language) -> None:
    for key, sentence in CATALOGUE.texts[language].items():
        assert sentence.split(" ").count("") == (1 if key == "error.prefix" else 0), key


def test_french_signs_stand_off_without_a_line_break() -> None:
    assert CATALOGUE.say(Language.FR, "error.prefix") == "Erreur\u00a0: "


def test_a_value_is_put_in_as_it_is() -> None:
    assert CATALOGUE.say(Language.FR, "reference.order", order_id="{x} : <b>") == "Commande {x} : <b>"


@pytest.mark.parametrize(
    ("money", "french", "english"),
    [
        (Money(399998, "MAD"), "3\u202f999,98\u00a0MAD", "MAD\u00a03,999.98"),
        (Money(1, "MAD"), "0,01\u00a0MAD", "MAD\u00a00.01"),
        (Money(999999999999, "MAD"), "9\u202f999\u202f999\u202f999,99\u00a0MAD", "MAD\u00a09,999,999,999.99"),
        (Money(2**63 - 1, "EUR"), "92\u202f233\u202f720\u202f368\u202f547\u202f758,07\u00a0EUR", None),
        (Money(1500, "JPY"), "1\u202f500\u00a0JPY", "JPY\u00a01,500"),
        (Money(1234, "TND"), "1,234\u00a0TND", "TND\u00a01.234"),
    ],
)
def test_an_amount_is_exact_in_both_languages(money: Money, french: str, english: str | None) -> None:
    assert format_amount(money, Language.FR) == french
    if english is not None:
        assert format_amount(money, Language.EN) == english


def test_a_moment_says_on_which_clocks_it_is() -> None:
    moment = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
    in_paris = moment.astimezone(ZoneInfo("Europe/Paris"))

    assert format_moment(moment, Language.FR) == "21 novembre 2026 à 14:05 (UTC)"
    assert format_moment(in_paris, Language.EN) == "21 November 2026 at 15:05 (UTC+1)"
