"""Pages for people, without script: their templates, style and policy, and the languages that they speak."""

import re
from base64 import b64encode
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header


class Language(StrEnum):
    FR = "fr"
    EN = "en"


def choose_language(accept_language: str | None) -> Language:
    """Return the language that the header prefers (RFC 9110, 12.5.4); French when it says nothing of ours.

    The merchants are Moroccan: a browser that asks for Arabic only belongs to a person who more likely reads
    French than English.
    """
    accepted = parse_accept_header(accept_language, LanguageAccept)
    return Language(accepted.best_match(list(Language), default=Language.FR))


class Catalogue:
    """The sentences of a service's pages, by name, in both languages."""

    def __init__(self, texts: Mapping[Language, Mapping[str, str]]) -> None:
        self.texts = texts

    def __contains__(self, key: str) -> bool:
        return key in self.texts[Language.FR]

    def say(self, language: Language, key: str, **values: str) -> str:
        """Return the sentence ``key`` with its values put in; plain text, which the template escapes."""
        sentence = self.texts[language][key]
        if language is Language.FR:
            sentence = _SPACE_BEFORE_SIGN.sub("\N{NO-BREAK SPACE}", sentence)
        return sentence.format_map(values)


class Templates:
    """The templates of ``package``, which put its one style sheet between ``<style>`` and ``</style>``.

    ``content_security_policy`` lets nothing be loaded and no script run, and the form go only to where the
    page came from.
    """

    def __init__(self, package: str, style: str) -> None:
        self._environment = Environment(
            loader=PackageLoader(package),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._style = self._environment.get_template(style).render()
        digest = b64encode(sha256(self._style.encode()).digest()).decode()
        self.content_security_policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )

    def render(self, name: str, **values: Any) -> str:
        style = Markup(self._style)  # noqa: S704 - our own file, inside <style>, where nothing may be escaped
        return self._environment.get_template(name).render(style=style, **values)

    def headers(self, language: Language, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the headers of every page, and ``more``: nobody may keep it, frame it, or add to it."""
        return {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Language": language.value,
            "Content-Security-Policy": self.content_security_policy,
            "Cache-Control": "no-store",
            **(more or {}),
            "Vary": "Accept-Language",
        }


# French sets a no-break space before these signs; in the catalogue it is a plain space, which one can see.
_SPACE_BEFORE_SIGN = re.compile(r" (?=[:;!?»])")
