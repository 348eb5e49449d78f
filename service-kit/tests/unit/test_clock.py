"""Time zones are those of the pinned package, not of the machine."""

import importlib.metadata
import zoneinfo
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import service_kit.clock


def test_morocco_is_on_utc_all_year_since_september_2026() -> None:
    assert service_kit.clock.utc_now().tzinfo is UTC
    zone = ZoneInfo.no_cache("Africa/Casablanca")

    for month in range(1, 13):
        assert datetime(2027, month, 15, 12, tzinfo=UTC).astimezone(zone).utcoffset() == timedelta(0)
    assert datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(zone).utcoffset() == timedelta(hours=1)


def test_the_machines_own_zones_are_not_read() -> None:
    assert zoneinfo.TZPATH == ()
    assert importlib.metadata.version("tzdata") >= "2026.3"
