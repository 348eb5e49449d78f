"""When a whole HTTP/1.1 request has arrived: only when, never what it means.

What a request is, gunicorn's parser says, and it refuses what it does not take. Here only its end is looked
for, in what has arrived until now, and everything that is not plain is handed to that parser as it is.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, auto

# What we serve has heads of one or two kilobytes; gunicorn alone would take 800.
MAX_HEAD_BYTES = 32 * 1024
# gunicorn reads a body a kilobyte ahead of what is asked: an application that reads up to its limit, to
# answer 413 itself, must find so much more.
_READ_AHEAD = 4 * 1024
_MAX_SIZE_LINE = 8 * 1024
_FRAMING_FIELD = re.compile(rb"\r\n(content-length|transfer-encoding|expect):([^\r\n]*)", re.IGNORECASE)
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;.*)?", re.DOTALL)
_VERSION_1_1 = re.compile(rb"(?:\r\n)?[^\r\n]* HTTP/1\.1\r\n")


# Stops where more must arrive; ends with a position.
Steps = Generator[None, None, int]


class Verdict(Enum):
    """What can be said of the bytes that have arrived."""

    WAITING = auto()
    COMPLETE = auto()
    # Not plain, or larger than is waited for: whoever knows HTTP must say, by what has arrived.
    UNCLEAR = auto()


class _Unclear(Exception):
    pass


@dataclass(frozen=True)
class _Framing:
    length: int
    is_chunked: bool
    expects_continue: bool


_NO_BODY = _Framing(0, is_chunked=False, expects_continue=False)


class Arrival:
    """The bytes of one request as they arrive, each of them looked at once.

    ``received`` grows from outside; :meth:`judge` looks at what is new. Bytes behind ``end`` belong to the
    next request.
    """

    def __init__(self, max_body_bytes: int, received: bytes = b"") -> None:
        self.received = bytearray(received)
        self.end = 0
        # Its client sends the body only once it is told to (Expect: 100-continue).
        self.expects_continue = False
        self.verdict = Verdict.WAITING
        self._max_body_bytes = max_body_bytes + _READ_AHEAD
        self._steps = self._look()

    def judge(self) -> Verdict:
        """Say whether the request is whole; once it is, or nobody here can say, that stands."""
        if self.verdict is Verdict.WAITING:
            try:
                next(self._steps)
            except StopIteration:
                self.verdict = Verdict.COMPLETE
            except _Unclear:
                self.verdict = Verdict.UNCLEAR
        return self.verdict

    def forget(self) -> None:
        """Free the bytes now, not when the garbage collector finds them: the search refers to them."""
        self._steps.close()

    def _look(self) -> Generator[None, None, None]:
        body = yield from self._section(0, MAX_HEAD_BYTES)
        framing = _read_framing(bytes(self.received[:body]))
        self.expects_continue = framing.expects_continue
        if framing.is_chunked:
            self.end = yield from self._chunks(body)
            return
        if framing.length > self._max_body_bytes:
            raise _Unclear
        self.end = body + framing.length
        while len(self.received) < self.end:
            yield

    def _section(self, start: int, limit: int) -> Steps:
        """Find the blank line that ends the fields which begin at ``start``; return what is behind it."""
        data, searched = self.received, start
        while True:
            found = data.find(b"\r\n\r\n", searched)
            end = len(data) if found < 0 else found + 4
            # A line that ends as none may (RFC 9112, 2.2) gunicorn refuses at once.
            if end - start > limit or data.count(b"\n", searched, end) > data.count(b"\r\n", searched, end):
                raise _Unclear
            if found >= 0:
                return end
            # Half of a line end was seen, and stays together.
            searched = max(start, end - 3)
            searched += data[searched : searched + 1] == b"\n"
            yield

    def _chunks(self, start: int) -> Steps:
        position, body = start, 0
        while True:
            line_end = yield from self._size_line(position)
            size = _read_size(bytes(self.received[position:line_end]))
            if size == 0:
                # The line end of the last size is half of the blank line, where no trailers follow.
                return (yield from self._section(line_end, MAX_HEAD_BYTES))
            position = line_end + 2
            while len(self.received) < position + size + 2:
                arrived = len(self.received)
                self._bound(body + min(size, arrived - position), arrived - start)
                yield
            body += size
            position += size + 2
            self._bound(body, position - start)
            if self.received[position - 2 : position] != b"\r\n":
                raise _Unclear

    def _bound(self, body: int, with_framing: int) -> None:
        """Give up on a body too large, or in chunks so small that they are most of it."""
        if body > self._max_body_bytes or with_framing > 2 * self._max_body_bytes:
            raise _Unclear

    def _size_line(self, start: int) -> Steps:
        searched = start
        while (found := self.received.find(b"\r\n", searched)) < 0:
            if len(self.received) - start > _MAX_SIZE_LINE:
                raise _Unclear
            searched = max(start, len(self.received) - 1)
            yield
        return found


def _read_framing(head: bytes) -> _Framing:
    fields = [(name.lower(), value.strip(b" \t").lower()) for name, value in _FRAMING_FIELD.findall(head)]
    if not fields:
        return _NO_BODY
    by_name = dict(fields)
    length = by_name.get(b"content-length", b"0")
    is_chunked = b"transfer-encoding" in by_name
    is_plain = (
        len(by_name) == len(fields)
        and _LENGTH.fullmatch(length)
        and by_name.get(b"transfer-encoding", b"chunked") == b"chunked"
        and by_name.get(b"expect", b"100-continue") == b"100-continue"
        and not (is_chunked and b"content-length" in by_name)
    )
    is_1_1 = _VERSION_1_1.match(head) is not None
    if not is_plain or (is_chunked and not is_1_1):
        raise _Unclear
    return _Framing(int(length), is_chunked, b"expect" in by_name and is_1_1)


def _read_size(line: bytes) -> int:
    found = _CHUNK_SIZE.fullmatch(line)
    if found is None:
        raise _Unclear
    return int(found[1], 16)
