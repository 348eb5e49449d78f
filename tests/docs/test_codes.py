"""Whoever gets a code finds out what it means, whether money moved, and what to do."""

import re

import pytest

from tests.docs import codes
from tests.docs.generate import CHECKOUT, names_of

LANGUAGES = ("en", "fr")
PAGES = {language: CHECKOUT / "docs" / "reference" / f"codes.{language}.md" for language in LANGUAGES}


@pytest.mark.parametrize("kind", codes.CODES)
def test_every_code_is_explained_and_no_other(kind: str) -> None:
    known = codes.CODES[kind]()

    assert known
    assert set(codes.meanings()[kind]) == set(known), f"mend docs/reference/codes.toml: [{kind}.…]"


@pytest.mark.parametrize("kind", codes.CODES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_explanation_is_whole(kind: str, language: str) -> None:
    head, rows = codes.table(kind, language)

    assert len({row[0] for row in rows}) == len(rows)
    for row in rows:
        assert len(row) == len(head.split(" | "))
        for text in row[1:]:
            assert text
            assert "|" not in text
        for sentence in (row[-4], row[-1]):
            assert re.fullmatch(r"[A-ZÀÉ`].*\.", sentence), row[0]


@pytest.mark.parametrize("kind", codes.CODES)
def test_an_explanation_has_nothing_that_no_page_shows(kind: str) -> None:
    for code, entry in codes.meanings()[kind].items():
        assert set(entry) == {"money", "retry", *LANGUAGES}, code
        assert all(set(entry[language]) == {"meaning", "next"} for language in LANGUAGES), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_pages_show_all_tables(language: str) -> None:
    shown = names_of(PAGES[language].read_text())

    assert shown == [f"codes {kind} {language}" for kind in codes.CODES]


def test_the_codes_are_those_that_clients_meet() -> None:
    problems = codes.problem_codes()

    assert problems["payment_declined"] == 402
    assert problems["database_unavailable"] == 503
    assert problems["vault_unavailable"] == 503
    assert problems["internal_error"] == 500
    assert problems["invalid_input"] == 400
    assert problems["dispute_not_found"] == 404
    assert problems["method_not_allowed"] == 405
    assert set(codes.oauth_codes()) == {
        "invalid_request",
        "invalid_client",
        "invalid_scope",
        "unsupported_grant_type",
    }


@pytest.mark.parametrize("code", ["internal_error", "idempotency_key_in_progress", "database_unavailable"])
def test_what_may_have_been_paid_is_never_sent_with_a_new_key(code: str) -> None:
    entry = codes.meanings()["problems"][code]

    assert (entry["money"] != "no", entry["retry"]) == (True, "same_key")
