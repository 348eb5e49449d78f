"""Text from outside that goes into headers, e-mails and logs."""

import re
import unicodedata

# Cc, Cs: control characters, lone surrogates; Zl, Zp: line and paragraph separators.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They turn the reading direction, so that a name shows as something else (Unicode TR36).
_DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DIGITS = re.compile(r"\d(?:[ -]?\d){11,}")
_ANSWER_CHARACTERS = 500


def is_single_line(text: str) -> bool:
    """Whether the text can stand in a header or a heading: nothing breaks the line or turns it around."""
    return not any(
        character in _DIRECTION_OVERRIDES or unicodedata.category(character) in _REFUSED_CATEGORIES
        for character in text
    )


def as_one_line(text: str) -> str:
    """Return the text with one blank for blanks and whatever breaks a line or turns it around."""
    return " ".join("".join(c if is_single_line(c) else " " for c in text).split())


def loggable_answer(text: str) -> str:
    """Return a server's answer as it may be stored: one line, 500 characters, long runs of digits masked."""
    return _DIGITS.sub("[digits]", as_one_line(text))[:_ANSWER_CHARACTERS]
