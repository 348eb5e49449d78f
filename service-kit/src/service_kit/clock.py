"""The wall clock: always UTC, always aware."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
