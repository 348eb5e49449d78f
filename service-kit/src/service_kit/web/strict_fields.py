"""Fields that take what their description says and nothing that merely looks like it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from marshmallow import fields, validate

from service_kit.clock import utc_text
from service_kit.decimals import read_decimal

# Text that may stand in a heading or a log: no control characters, nothing that breaks the line, and nothing
# that turns the direction of reading, so that it shows as something else (Unicode TR36).
ONE_LINE = validate.Regexp(
    r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*\Z",
    error="Must be one line without control characters.",
)

# What every database of ours can hold, with room to add and subtract.
FIRST_TIME, LAST_TIME = datetime(1000, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)

_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")


class StrictDecimal(fields.Decimal):
    """A decimal as text or as JSON's number; without an exponent it fits ``pattern``. Shown as text.

    ``pattern`` stands in the description too: it must be one that Python and JSON Schema read alike, ASCII
    only, and must bound the digits before and behind the point.
    """

    def __init__(self, pattern: str, *, metadata: Mapping[str, Any], **kwargs: Any) -> None:
        described = {"type": ["string", "number"], "pattern": f"^{pattern}$", **metadata}
        super().__init__(as_string=True, metadata=described, **kwargs)
        self._pattern = re.compile(pattern)

    def _validated(self, value: Any) -> Decimal:
        number = read_decimal(value, self._pattern)
        if number is None:
            raise self.make_error("invalid", input=value)
        return number


class StrictFloat(fields.Float):
    """JSON's number, and no text that Python would read as one."""

    def _validated(self, value: Any) -> float:
        if isinstance(value, str):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class QueryInteger(fields.Integer):
    """A whole number of a query, as JSON would write it: Python also takes ``1_0``, blanks, other digits."""

    def _validated(self, value: Any) -> int:
        if not (isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value)):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class StrictBoolean(fields.Boolean):
    """JSON's `true` or `false`; to Python, 1 and 0 are equal to them."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_kwargs: Any
    ) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class UtcTime(fields.AwareDateTime):
    """ISO 8601 with an offset, loaded as UTC; shown in UTC with microseconds and a Z.

    A time beyond ``FIRST_TIME`` or ``LAST_TIME`` is loaded as that: nothing of ours is older or later.
    """

    default_error_messages = dict.fromkeys(
        ["invalid", "invalid_awareness"],
        "Must be a time with an offset from UTC, such as 2026-11-21T09:00:00Z.",
    )

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        # Compared first: next to the calendar's ends there is no UTC time to convert to.
        return min(max(moment, FIRST_TIME), LAST_TIME).astimezone(UTC)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else utc_text(value)
