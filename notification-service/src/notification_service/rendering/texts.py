"""The words of the e-mails: one file a language, one table a kind of e-mail, small Jinja templates in it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, Template

from notification_service.values.vocabulary import MailLocale, NotificationType


@dataclass(frozen=True, slots=True)
class EmailTexts:
    """What one kind of e-mail says in one language, compiled; the values are filled in as plain text."""

    subject: Template
    heading: Template
    lead: Template
    amount_label: str
    notes: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class CommonTexts:
    merchant: str
    order: str
    payment: str
    occurred_at: str
    card: str
    authorization: str
    items: str
    tax: str
    issuer: str
    tax_number: str
    card_value: Template
    label_end: str
    date_pattern: str
    automatic: str


@dataclass(frozen=True, slots=True)
class Language:
    common: CommonTexts
    emails: Mapping[NotificationType, EmailTexts]


def load_language(folder: Path, locale: MailLocale, environment: Environment) -> Language:
    """Read ``<folder>/<locale>.toml``; a missing or superfluous word is an error at start."""
    tables: dict[str, Any] = tomllib.loads((folder / f"{locale}.toml").read_text(encoding="utf-8"))
    common = tables.pop("common")
    common["card_value"] = environment.from_string(common["card_value"])
    emails = {NotificationType(kind): _email(words, environment) for kind, words in tables.items()}
    return Language(common=CommonTexts(**common), emails={kind: emails[kind] for kind in NotificationType})


def _email(words: dict[str, Any], environment: Environment) -> EmailTexts:
    templates = {name: environment.from_string(words[name]) for name in ("subject", "heading", "lead")}
    notes = tuple(environment.from_string(note) for note in words["notes"])
    fixed: dict[str, Any] = {**words, **templates, "notes": notes}
    return EmailTexts(**fixed)
