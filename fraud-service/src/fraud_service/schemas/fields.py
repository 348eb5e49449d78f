"""Members that several requests have."""

import marshmallow as ma

_ID = r"[A-Za-z0-9_.:-]{1,64}"
# Any text a person may have for a name, but no control characters.
_TEXT = r"[^\x00-\x1f\x7f-\x9f]{1,64}"
LARGEST_AMOUNT = 10**15


def text(
    pattern: str, meaning: str, example: str, description: str, *, allow_none: bool = False
) -> ma.fields.String:
    """Return a required text, the whole of which matches ``pattern``; ``meaning`` says so in words."""
    return ma.fields.String(
        required=True,
        allow_none=allow_none,
        validate=ma.validate.Regexp(rf"{pattern}\Z", error=f"Must be {meaning}."),
        metadata={"example": example, "description": description},
    )


def id_text(example: str, description: str, *, allow_none: bool = False) -> ma.fields.String:
    return text(_ID, "1 to 64 letters, digits or one of _ . : -", example, description, allow_none=allow_none)


def free_text(example: str, description: str) -> ma.fields.String:
    return text(_TEXT, "1 to 64 characters, none of them a control character", example, description)
