"""Placeholders for what differs from run to run."""

import re
from collections.abc import Mapping

_MONTHS = (
    "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|"
    "January|February|March|April|May|June|July|August|September|October|November|December"
)
# The first that fits wins, from left to right through a text. Only what is random: a hash under a key of
# the lab stays, because nobody may change it.
_NUMBERED = {
    "jwt": r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*",
    "secret": r"(?<=cs_)[\w-]{40,}",
    # An event has the id of its payment in its own, a capture that of its attempt.
    "id": r"(?<![0-9A-Za-z])01[0-9a-hjkmnp-tv-z]{24}(?![0-9A-Za-z])",
    "link": r"(?<=/checkout/)[\w-]{24,}|(?<=/checkout/3ds/)[\w-]{24,}|(?<=/acs/)[\w-]{24,}",
    "request": r'(?<="request_id":")[0-9a-f]{16}(?=")|(?<=x-request-id: )[0-9a-f]{16}\b',
    "form": r'(?<=name="form_key" value=")[0-9a-f]{32}(?=")|(?<=form_key=)[0-9a-f]{32}\b',
    "key": r'(?<="kid":")[\w-]{43}(?=")|(?<="kid": ")[\w-]{43}(?=")|(?<="x":")[\w-]{43}(?=")|'
    r"(?<![\w-])[\w-]{43}(?=  EdDSA| signs )",
    "code": r'(?<="authorization_code":")[0-9A-F]{6}(?=")|(?<="authorization_code": ")[0-9A-F]{6}(?=")|'
    r"(?<=utorisation</dt><dd>)[0-9A-F]{6}\b|(?<=uthorisation</dt><dd>)[0-9A-F]{6}\b",
    # One that was seen before, wherever it stands; it could be any word.
    "code_again": r"(?<![\w#])[0-9A-F]{6}(?!\w)",
}
# Two of them may fall into the same second or not, so they have no number; digits and zone are kept in view.
_TIMES = (
    r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(?=Z|[+-]\d\d|\b)",
    rf"\b\d{{1,2}}(er)? ({_MONTHS}) 20\d\d\D{{1,5}}\d\d:\d\d",
    r"(?<=Date: )\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d",
    r"(?<=since )20\d\d-\d\d-\d\d",
)
_TIME = re.compile("|".join(f"(?:{pattern})" for pattern in _TIMES))
_DIGITS = re.compile(r"\d+")


class Placeholders:
    """Knows every value that it has replaced, and gives the same one the same number again."""

    def __init__(self, fixed: Mapping[str, str]) -> None:
        """Take texts that stand for themselves, such as ``{"127.0.0.1:41234": "<gateway>"}``."""
        self._fixed = dict(fixed)
        self._numbers: dict[str, dict[str, int]] = {kind: {} for kind in _NUMBERED if kind != "code_again"}
        named = [f"(?P<{kind}>{pattern})" for kind, pattern in _NUMBERED.items()]
        self._pattern = re.compile("|".join([*(re.escape(text) for text in fixed), *named]))

    def replace(self, text: str) -> str:
        """Return the text with a placeholder for each value that is random or a time."""
        return _without_times(self._pattern.sub(self._numbered, text))

    def preview(self, text: str) -> str:
        """Return the same, but number nothing new: for sorting what came in any order."""
        return _without_times(self._pattern.sub(self._known, text))

    def begin(self, kind: str) -> None:
        """Number the values of this kind from 1 again."""
        self._numbers[kind].clear()

    def _numbered(self, match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind in self._numbers:
            self._numbers[kind].setdefault(match[0], len(self._numbers[kind]) + 1)
        return self._known(match)

    def _known(self, match: re.Match[str]) -> str:
        kind, value = match.lastgroup, match[0]
        if kind is None:
            return self._fixed[value]
        if kind == "code_again":
            number = self._numbers["code"].get(value)
            return f"<code {number}>" if number else value
        return f"<{kind} {self._numbers[kind].get(value, '?')}>"


def _without_times(text: str) -> str:
    """Write a time as ``<0-0-0T0:0:0.6Z>``: its form stays, and how many digits its fraction has."""
    return _TIME.sub(_form_of_time, text)


def _form_of_time(match: re.Match[str]) -> str:
    whole, dot, fraction = match[0].partition(".")
    whole = re.sub(r"[^\W\d_]{3,}", "month", whole.replace("1er ", "1 "))
    return f"<{_DIGITS.sub('0', whole)}{dot}{len(fraction) if dot else ''}>"
