"""The wall clock: always UTC, always aware; and the time zones in which people read it."""

import zoneinfo
from datetime import UTC, datetime

# The zones are those of the package tzdata, which is pinned: a machine's own may be years old.
zoneinfo.reset_tzpath(to=())


def utc_now() -> datetime:
    return datetime.now(UTC)
