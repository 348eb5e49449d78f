"""Structured logs: one JSON object a line on standard output, with secrets and card numbers taken out."""

import logging
import re
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, TextIO, cast

import structlog
from flask import Flask, Response, g, request
from structlog.typing import EventDict, Processor, WrappedLogger

from service_kit.process.config import ConfigurationError

REDACTED = "[redacted]"
_ALWAYS_SECRET = frozenset({"authorization", "password", "secret", "token", "client_secret"})
# 13 digits or more, whatever stands before and behind, with up to two marks between them: a card number has
# 13 to 19 (ISO/IEC 7812). Spared are ids of ours (service_kit.ids), trace ids and times.
_LONG_NUMBER = re.compile(
    r"""
    (?P<spared>
        (?<![0-9A-Za-z])[a-z]{2,4}_[0-9a-z]{26}(?![0-9A-Za-z])
      | (?<![0-9A-Za-z])(?=[0-9]*[a-f])[0-9a-f]{32}(?![0-9A-Za-z])
      | [0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?
    )
    | [0-9](?:[ .+_-]{0,2}[0-9]){12,}
    """,
    re.VERBOSE,
)

# A logger is built once, when it is first used. Tests, which set logs up again and again, switch that off.
KEEP_LOGGERS = True

log = structlog.get_logger("request")


class _StandardOutput:
    """Standard output as it is when a line is written: a logger outlives what replaced it for a while."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


_OUTPUT = cast(TextIO, _StandardOutput())


def configure(service: str, *, secret_keys: Iterable[str] = (), level: str = "INFO") -> None:
    """Set logging up for this process.

    ``secret_keys`` names fields (any case) whose values never reach a line, besides the usual ones.

    Raises:
        ConfigurationError: there is no such level.
    """
    severity = logging.getLevelNamesMapping().get(level.upper())
    if severity is None:
        raise ConfigurationError(f"LOG_LEVEL is {level!r}; it can be DEBUG, INFO, WARNING or ERROR.")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _add_service(service),
            redactor(secret_keys),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(severity),
        logger_factory=structlog.PrintLoggerFactory(_OUTPUT),
        cache_logger_on_first_use=KEEP_LOGGERS,
    )


def init_app(app: Flask) -> None:
    """Write one line for each request: method, route, ids, status, milliseconds.

    Never its path, which may be a capability: who has the link of a checkout may pay with it.
    """

    @app.before_request
    def start() -> None:
        g.started_s = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        started_s = g.get("started_s")
        took_ms = None if started_s is None else round((time.perf_counter() - started_s) * 1000, 1)
        log.info(
            "request",
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            **{name: value for name, value in (request.view_args or {}).items() if name.endswith("_id")},
            status=response.status_code,
            ms=took_ms,
        )
        return response


def redactor(secret_keys: Iterable[str]) -> Processor:
    """Return the processor that masks secret fields, and digits that look like a card number anywhere."""
    keys = _ALWAYS_SECRET | {key.lower() for key in secret_keys}

    def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: _clean(key, value, keys) for key, value in event.items()}

    return redact


def mask_long_numbers(text: str) -> str:
    """Replace by stars every run of digits that could be a card number."""
    return _LONG_NUMBER.sub(lambda found: found["spared"] or "*" * 13, text)


def mask_record(record: logging.LogRecord) -> bool:
    """Mask long numbers in a line of a library's own logger; a filter that lets every line pass."""
    record.msg, record.args = mask_long_numbers(record.getMessage()), None
    if record.exc_info:
        record.exc_text = mask_long_numbers(logging.Formatter().formatException(record.exc_info))
    return True


def _clean(key: str, value: Any, keys: frozenset[str]) -> Any:
    if key.lower() in keys:
        return REDACTED
    if isinstance(value, dict):
        return {inner: _clean(str(inner), item, keys) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean("", item, keys) for item in value]
    if isinstance(value, str):
        return mask_long_numbers(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**12:
        return mask_long_numbers(str(value))
    return value


def _add_service(service: str) -> Callable[[WrappedLogger, str, EventDict], EventDict]:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add
