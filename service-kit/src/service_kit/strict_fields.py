"""Fields that take what their description says and nothing that merely looks like it."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

# Text that may stand in a heading or a log: no control characters, nothing that breaks the line, and nothing
# that turns the direction of reading, so that it shows as something else (Unicode TR36).
ONE_LINE = validate.Regexp(
    r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*\Z",
    error="Must be one line without control characters.",
)


class StrictBoolean(fields.Boolean):
    """JSON's `true` or `false`; to Python, 1 and 0 are equal to them."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_kwargs: Any
    ) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value
