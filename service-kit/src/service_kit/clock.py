"""The wall clock: always UTC, always aware; and the time zones in which people read it."""

import zoneinfo
from datetime import UTC, datetime, timedelta

# The zones are those of the package tzdata, which is pinned: a machine's own may be years old.
zoneinfo.reset_tzpath(to=())


def utc_now() -> datetime:
    return datetime.now(UTC)


def utc_text(moment: datetime) -> str:
    """Return an aware moment in the one form in which programs are told it: microseconds and a Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def offset_name(moment: datetime) -> str:
    """Return how far the clocks of an aware moment are from UTC, such as ``UTC`` or ``UTC+5:45``."""
    minutes = round((moment.utcoffset() or timedelta()).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    if minutes == 0:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")  # noqa: RUF001
