"""Reads the submitted card form: a card and an optional address, or what is wrong with each field."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service_kit.card_checks import has_expired
from service_kit.email_addresses import AddressNotUsable, email_address

from payment_service.values.cards import CardData


class Field(StrEnum):
    """The fields of the form, by the names that they have on the wire."""

    CARD_NUMBER = "cardNumber"
    EXPIRATION_DATE = "expirationDate"
    CARD_CODE = "cardCode"
    EMAIL = "email"
    FORM_KEY = "form_key"


# The button beside a challenge: the only member of a form of its own.
OTHER_CARD = "other_card"


class FieldError(StrEnum):
    REQUIRED = "required"
    MALFORMED = "malformed"
    CHECK_DIGIT = "check_digit"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    form_key: str
    card: CardData
    email: str | None


@dataclass(frozen=True, slots=True)
class RefusedForm:
    """A form that cannot; ``kept`` is what may be shown again, which is nothing of the card's secrets."""

    errors: Mapping[Field, FieldError]
    kept: Mapping[Field, str]


def read_form(
    fields: Mapping[str, str], *, now: datetime, is_acceptable_number: Callable[[str], bool]
) -> SubmittedForm | RefusedForm:
    """Return the submitted card, or every field's error.

    ``is_acceptable_number`` decides about 12 to 19 digits (the check digit, and who may do without it).
    """
    form_key, number, expiry_text, code, email = (_typed(fields, name) for name in _FIELDS)
    digits = _SEPARATORS.sub("", number)
    expiry = _month_and_year(expiry_text)
    found = {
        Field.CARD_NUMBER: _text_error(digits, _CARD_NUMBER)
        or (None if is_acceptable_number(digits) else FieldError.CHECK_DIGIT),
        Field.EXPIRATION_DATE: _expiry_error(expiry_text, expiry, now),
        Field.CARD_CODE: _text_error(code, _CARD_CODE),
        Field.EMAIL: _email_error(email),
        Field.FORM_KEY: None if _FORM_KEY.fullmatch(form_key) else FieldError.REQUIRED,
    }
    errors = {name: error for name, error in found.items() if error is not None}
    if errors or expiry is None:
        return RefusedForm(errors, kept_values(fields))
    month, year = expiry
    return SubmittedForm(form_key, CardData(digits, month, year, code), email or None)


def kept_values(fields: Mapping[str, str]) -> dict[Field, str]:
    """Return what of a submitted form may be shown again: the e-mail and a well-formed expiry.

    A person may type the card number into the wrong field, so what could be one is not kept either.
    """
    kept = {}
    expiry = _typed(fields, Field.EXPIRATION_DATE)
    if _month_and_year(expiry) is not None:
        kept[Field.EXPIRATION_DATE] = expiry
    email = _typed(fields, Field.EMAIL)
    if "@" in email and len(email) <= _LONGEST_EMAIL and email.isprintable() and not _may_hold_number(email):
        kept[Field.EMAIL] = email
    return kept


_FIELDS = (Field.FORM_KEY, Field.CARD_NUMBER, Field.EXPIRATION_DATE, Field.CARD_CODE, Field.EMAIL)
_FORM_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
# People and password managers group the digits: spaces of any width, hyphens, dots.
_SEPARATORS = re.compile(r"[\s.\-\u2010-\u2014]+")
_CARD_NUMBER = re.compile(r"[0-9]{12,19}")
_CARD_CODE = re.compile(r"[0-9]{3,4}")
_EXPIRIES = (
    re.compile(r"(?P<month>[0-9]{1,2})\s*[/.\-]\s*(?P<year>[0-9]{2}|[0-9]{4})"),
    re.compile(r"(?P<month>[0-9]{2})\s*(?P<year>[0-9]{2}|[0-9]{4})"),  # a phone's digit pad has no slash
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})(-(0[1-9]|[12][0-9]|3[01]))?"),
)
_LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3: a path of 256 less its angle brackets


def _typed(fields: Mapping[str, str], name: Field) -> str:
    return fields.get(name, "").strip()


def _text_error(text: str, form: re.Pattern[str]) -> FieldError | None:
    if not text:
        return FieldError.REQUIRED
    return None if form.fullmatch(text) else FieldError.MALFORMED


def _month_and_year(text: str) -> tuple[int, int] | None:
    for pattern in _EXPIRIES:
        if match := pattern.fullmatch(text):
            month, year = int(match["month"]), int(match["year"])
            full_year = year + 2000 if len(match["year"]) == 2 else year
            return (month, full_year) if 1 <= month <= 12 and 1950 <= full_year <= 2099 else None
    return None


def _expiry_error(text: str, expiry: tuple[int, int] | None, now: datetime) -> FieldError | None:
    if expiry is None:
        return FieldError.MALFORMED if text else FieldError.REQUIRED
    return FieldError.EXPIRED if has_expired(*expiry, now) else None


def _email_error(email: str) -> FieldError | None:
    try:
        return None if not email or email_address(email) else FieldError.MALFORMED
    except AddressNotUsable:
        return FieldError.MALFORMED


def _may_hold_number(text: str) -> bool:
    return _CARD_NUMBER.search(_SEPARATORS.sub("", text)) is not None
