"""What may differ between two gateways that serve the same routes."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

_DURATION = re.compile(r"([0-9]+)(ns|us|µs|ms|s|m|h)")
_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_HOST = re.compile(r"https?://[A-Za-z0-9._-]+(:[0-9]{2,5})?")


class InvalidSetting(ValueError):
    """A setting that KrakenD would refuse, or worse, misunderstand."""


def duration_s(text: str) -> float:
    """Seconds of a duration as KrakenD's schema writes it: a whole number and a unit, such as `500ms`."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InvalidSetting(f"{text!r} is not a duration such as 500ms or 5s")
    return int(match[1]) * _UNIT_S[match[2]]


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Settings:
    """Addresses, port, order limit and time-outs; the defaults are those of Compose."""

    payment_service: str = "http://payments_api:5009"
    store_manager: str = "http://store_manager:5000"
    port: int = 8080
    listen_ip: str | None = None  # None: all interfaces
    orders_per_minute: int = 10
    timeout: str = "5s"
    provider_timeout: str = "10s"
    slow_timeout: str = "5s"

    def __post_init__(self) -> None:
        for host in (self.payment_service, self.store_manager):
            if _HOST.fullmatch(host) is None:
                raise InvalidSetting(f"{host!r} is no address such as http://host:5000 (without path)")
        for duration in (self.timeout, self.provider_timeout, self.slow_timeout):
            if duration_s(duration) <= 0:
                raise InvalidSetting(f"a time-out must be longer than {duration!r}")
        if self.orders_per_minute < 1:
            raise InvalidSetting("orders per minute must be at least 1 (KrakenD takes 0 as no limit at all)")
        if self.listen_ip is not None and not _is_ip(self.listen_ip):
            raise InvalidSetting(f"{self.listen_ip!r} is not an IP to listen on")
        if not 1 <= self.port <= 65535:
            raise InvalidSetting(f"{self.port} is not a port")
