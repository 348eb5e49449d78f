"""Members that several requests have."""

import re

import marshmallow as ma

_ID = r"[A-Za-z0-9_.:-]{1,64}"
# Any text a person may have for a name, but no control characters.
_TEXT = r"[^\x00-\x1f\x7f-\x9f]{1,64}"
LARGEST_AMOUNT = 10**15


class _Matches(ma.validate.Validator):
    """The whole string matches; Python's ``$`` would let a final line feed pass."""

    def __init__(self, pattern: str, meaning: str) -> None:
        self._pattern = re.compile(pattern)
        self._meaning = meaning

    def __call__(self, value: str) -> str:
        if not self._pattern.fullmatch(value):
            raise ma.ValidationError(f"Must be {self._meaning}.")
        return value


def text(
    pattern: str, meaning: str, example: str, description: str, *, allow_none: bool = False
) -> ma.fields.String:
    """Return a required member that is a text, the whole of which matches ``pattern``."""
    return ma.fields.String(
        required=True,
        allow_none=allow_none,
        validate=_Matches(pattern, meaning),
        metadata={"pattern": f"^{pattern}$", "example": example, "description": description},
    )


def id_text(example: str, description: str, *, allow_none: bool = False) -> ma.fields.String:
    """Return a member for an id of one of our services."""
    return text(_ID, "1 to 64 letters, digits or one of _ . : -", example, description, allow_none=allow_none)


def free_text(example: str, description: str) -> ma.fields.String:
    """Return a member for a text that a person may have written."""
    return text(_TEXT, "1 to 64 characters, none of them a control character", example, description)
