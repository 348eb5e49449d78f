"""The identity of the request in hand: its id and its trace, from hop to hop and into every log line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from flask import Flask, Response, request

from service_kit.ids import new_id

REQUEST_ID_HEADER = "X-Request-Id"
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ACCEPTED_TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)


def init_app(app: Flask) -> None:
    """Take over the caller's request id, or make one; answer with it."""
    app.before_request(_begin)
    app.after_request(_answer)


def current_request_id() -> str | None:
    """Return the id of the request in hand, or None outside of one."""
    return _request_id.get()


def current_traceparent() -> str | None:
    """Return the caller's W3C trace context, or None where it gave none."""
    return _traceparent.get()


@contextmanager
def trace_continued(traceparent: str | None) -> Iterator[None]:
    """Let what is logged and called in the block belong to the trace of a request that is over."""
    token = _traceparent.set(traceparent)
    trace = {} if traceparent is None else {"trace_id": _trace_id(traceparent)}
    try:
        with structlog.contextvars.bound_contextvars(**trace):
            yield
    finally:
        _traceparent.reset(token)


def outgoing_headers() -> dict[str, str]:
    """Return the headers that carry this identity to the next service."""
    headers = {}
    if (request_id := _request_id.get()) is not None:
        headers[REQUEST_ID_HEADER] = request_id
    if (traceparent := _traceparent.get()) is not None:
        headers["traceparent"] = traceparent
    return headers


def _begin() -> None:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    request_id = given if _ACCEPTED_ID.fullmatch(given) else new_id("req")
    trace = request.headers.get("traceparent", "")
    _request_id.set(request_id)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    is_traced = _ACCEPTED_TRACE.fullmatch(trace) is not None
    _traceparent.set(trace if is_traced else None)
    if is_traced:
        structlog.contextvars.bind_contextvars(trace_id=_trace_id(trace))


def _trace_id(traceparent: str) -> str:
    return traceparent.split("-")[1]


def _answer(response: Response) -> Response:
    request_id = _request_id.get()
    if request_id is not None:
        response.headers[REQUEST_ID_HEADER] = request_id
    return response
