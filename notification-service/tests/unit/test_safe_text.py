import pytest
from notification_service.values.safe_text import is_single_line, loggable_answer


@pytest.mark.parametrize("text", ["Épicerie du Café & fils", "متجر", "店", "👩‍🍳"])
def test_ordinary_names_are_single_lines(text: str) -> None:
    assert is_single_line(text)


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\ud800"]
)
def test_what_breaks_or_turns_a_line_is_refused(character: str) -> None:
    assert not is_single_line(f"a{character}b")


def test_answers_are_stored_without_card_numbers() -> None:
    assert loggable_answer("250 ok 4111111111111111") == "250 ok [digits]"
    assert loggable_answer("x4111 1111 1111 1111y") == "x[digits]y"
    assert loggable_answer("550-5.1.1\r\n\x1b[31mno such user") == "550-5.1.1 [31mno such user"
    assert loggable_answer("250 queued as 12345") == "250 queued as 12345"
    assert len(loggable_answer("x" * 10_000)) == 500
