"""When a request has arrived: for every way to cut it, and never otherwise than gunicorn's own parser."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import RequestParser
from gunicorn.http.errors import ParseException
from hypothesis import example, given
from hypothesis import strategies as st
from service_kit.process.arrival import MAX_HEAD_BYTES, Arrival, Verdict

LIMIT = 1000
_READ_AHEAD = 4096


def length_body(body: bytes) -> tuple[bytes, bytes]:
    return b"Content-Length: %d\r\n" % len(body), body


def chunked_body(chunks: list[bytes], extension: bytes, trailers: bytes) -> tuple[bytes, bytes]:
    parts = [b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks]
    return b"Transfer-Encoding: chunked\r\n", b"".join(parts) + b"0\r\n" + trailers + b"\r\n"


def request(framing: tuple[bytes, bytes], before: bytes = b"", fields: bytes = b"Host: a\r\n") -> bytes:
    return before + b"POST /x HTTP/1.1\r\n" + fields + framing[0] + b"\r\n" + framing[1]


BODIES = st.one_of(
    st.just((b"", b"")),
    st.binary(max_size=200).map(length_body),
    st.builds(
        chunked_body,
        st.lists(st.binary(min_size=1, max_size=60), max_size=5),
        st.sampled_from([b"", b";a=b", b' ; a="\\""']),
        st.sampled_from([b"", b"Checksum: 1\r\n", b"A: b\r\nC: d\r\n"]),
    ),
)
REQUESTS = st.builds(
    request,
    BODIES,
    before=st.sampled_from([b"", b"\r\n"]),
    fields=st.sampled_from([b"", b"Host: a\r\n", b"Host: a\r\nExpect: 100-continue\r\nX: \xe9\r\n"]),
)


def feed(pieces: list[bytes]) -> tuple[Arrival, list[Verdict]]:
    arrival, verdicts = Arrival(LIMIT), []
    for piece in pieces:
        arrival.received += piece
        verdicts.append(arrival.judge())
    return arrival, verdicts


def cut(data: bytes, at: list[int]) -> list[bytes]:
    ends = sorted({0, len(data), *(place % len(data) for place in at)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(REQUESTS, st.lists(st.integers(min_value=0), max_size=20))
def test_however_it_is_cut_a_request_is_whole_at_its_end_and_not_before(whole: bytes, at: list[int]) -> None:
    arrival, verdicts = feed(cut(whole, at))

    assert verdicts == [Verdict.WAITING] * (len(verdicts) - 1) + [Verdict.COMPLETE]
    assert arrival.end == len(whole)


@given(REQUESTS)
def test_byte_by_byte_a_request_is_whole_at_its_end_and_not_before(whole: bytes) -> None:
    _, verdicts = feed([whole[place : place + 1] for place in range(len(whole))])

    assert verdicts == [Verdict.WAITING] * (len(whole) - 1) + [Verdict.COMPLETE]


@given(REQUESTS, REQUESTS)
def test_what_follows_a_request_does_not_belong_to_it(whole: bytes, following: bytes) -> None:
    arrival, verdicts = feed([whole + following])

    assert (verdicts, arrival.end) == ([Verdict.COMPLETE], len(whole))


MUTATIONS = st.lists(
    st.tuples(
        st.integers(min_value=0),
        st.sampled_from([b"", b"\r", b"\n", b" ", b":", b"0", b"\x00", b";", b"\r\n"]),
    ),
    max_size=3,
)


def mutated(data: bytes, mutations: list[tuple[int, bytes]]) -> bytes:
    for place, replacement in mutations:
        data = data[: place % len(data)] + replacement + data[place % len(data) + 1 :] or b"x"
    return data


@given(REQUESTS, MUTATIONS, st.sampled_from([b"", b"GET / HTTP/1.1\r\n\r\n"]))
@example(b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", [], b"")
@example(b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [], b"")
@example(b"POST / HTTP/1.1\r\nContent_Length: 3\r\n\r\nabc", [], b"")
@example(b"POST / HTTP/1.1\r\nContent-Length : 3\r\n\r\nabc", [], b"")
@example(b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", [], b"")
@example(b"POST / HTTP/1.1\r\nX: a\r\n Content-Length: 3\r\n\r\nabc", [], b"")
@example(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [], b"")
@example(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", [], b"")
def test_a_whole_request_ends_where_gunicorn_ends_it_or_gunicorn_refuses_it(
    whole: bytes, mutations: list[tuple[int, bytes]], following: bytes
) -> None:
    """Whatever arrives: otherwise one of the two could be made to take a body for a request."""
    arrival, [verdict] = feed([mutated(whole, mutations) + following])
    if verdict is not Verdict.COMPLETE:
        return
    parser = RequestParser(Config(), nothing_behind(bytes(arrival.received[: arrival.end])), None)

    with suppress(ParseException, OSError):
        next(parser).body.read()
        assert parser.unreader.take_buffered() == b""


def nothing_behind(data: bytes) -> Iterator[bytes]:
    yield data
    raise AssertionError("gunicorn wants more")


@pytest.mark.parametrize(
    "start",
    [
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nExpect: tea\r\nContent-Length: 3\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b";" * 9000,
        b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD_BYTES,
        b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + b"x" * (LIMIT + _READ_AHEAD + 1),
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 2000,
    ],
)
def test_what_is_malformed_or_too_large_is_waited_for_no_longer(start: bytes) -> None:
    _, verdicts = feed([start])
    _, byte_by_byte = feed([start[place : place + 1] for place in range(len(start))])

    assert verdicts == [Verdict.UNCLEAR]
    assert byte_by_byte[-1] is Verdict.UNCLEAR


@pytest.mark.parametrize(
    ("head", "expects"),
    [
        (b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nexpect:100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", True),
        (b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", False),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n", False),
    ],
)
def test_who_waits_to_be_told_to_continue_is_known_by_the_head(head: bytes, expects: bool) -> None:
    arrival, verdicts = feed([head])

    assert (verdicts, arrival.expects_continue) == ([Verdict.WAITING], expects)


def test_byte_by_byte_nothing_is_searched_again() -> None:
    """A head costs no more than its length: no time is measured, only what is searched."""
    arrival = Arrival(LIMIT)
    arrival.received = counting = CountingBytes()
    for _ in range(10_000):
        counting += b"x"
        assert arrival.judge() is Verdict.WAITING

    assert counting.searched <= 5 * 10_000


class CountingBytes(bytearray):
    """Counts the bytes that were searched."""

    searched = 0

    def find(self, wanted: Any, start: Any = 0, *end: Any) -> int:
        self.searched += len(self) - start
        return super().find(wanted, start, *end)
