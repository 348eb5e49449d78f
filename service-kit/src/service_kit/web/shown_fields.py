"""Members of answers, with what the descriptions say of them."""

from typing import Any, TypeVar

import marshmallow as ma

F = TypeVar("F", bound=ma.fields.Field[Any])


def shown(kind: type[F], *, attribute: str | None = None, allow_none: bool = False, **description: Any) -> F:
    """Return a field that every answer has; ``description`` is the rest of how it is described."""
    return kind(required=True, attribute=attribute, allow_none=allow_none, metadata=description)


def constant(value: str) -> ma.fields.Constant[str]:
    """Return a member that is always the same word, such as the kind of an object."""
    metadata = {"type": "string", "example": value, "description": f"Always `{value}`."}
    return ma.fields.Constant(value, required=True, metadata=metadata)
