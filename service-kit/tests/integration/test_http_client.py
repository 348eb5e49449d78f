"""What a caller is told after a call: surely not sent, or unknown. Money depends on the difference."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import pytest
import requests
from service_kit.db.database import NetworkCallInTransaction
from service_kit.deadlines import time_budget
from service_kit.web.http_client import (
    MAX_ANSWER_BYTES,
    Answer,
    CallFailed,
    Dependency,
    HttpClient,
    NotSent,
    OutcomeUnknown,
    TooManyCalls,
)
from service_kit.web.http_client import log as client_log
from urllib3.exceptions import NameResolutionError

from tests.testkit.fake_clock import FakeClock

Behaviour = Callable[[socket.socket], None]
PATIENT_S = 60.0


class ScriptedServer:
    """Answers each connection by the next behaviour of its script, and keeps what it received."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.script: list[Behaviour] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        workers = []
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._open.append(connection)
                behaviour = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                worker = threading.Thread(target=self._answer, args=(connection, behaviour))
                worker.start()
                workers.append(worker)
        for worker in workers:
            worker.join()

    def _answer(self, connection: socket.socket, behaviour: Behaviour) -> None:
        with suppress(OSError), closing(connection):
            self.received.append(_read_request(connection))
            behaviour(connection)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(4096)
    return head + b"\r\n\r\n" + body


def says(status: str, body: bytes = b"{}", *headers: str) -> Behaviour:
    head = "\r\n".join(
        [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    )
    return lambda connection: connection.sendall(head.encode() + body)


def raw(data: bytes) -> Behaviour:
    return lambda connection: connection.sendall(data)


def drops(_connection: socket.socket) -> None:
    """Read the request and hang up."""


def says_nothing(connection: socket.socket) -> None:
    """Wait until the client hangs up."""
    connection.recv(1)


class Drips:
    """Sends the head at once, and a byte of the body every second, for longer than anybody may wait."""

    def __init__(self, clock: FakeClock) -> None:
        self.was_heard_to_the_end = False
        self._clock = clock

    def __call__(self, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3600\r\n\r\n")
        for _ in range(3600):
            connection.sendall(b" ")
            self._clock.advance(1)
            time.sleep(0.02)
        self.was_heard_to_the_end = True


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


def client_of(url: str, **changes: Any) -> HttpClient:
    """A client that waits as long as it takes, and whose breaker never closes by itself."""
    patient = Dependency(
        "other", url, PATIENT_S, connect_timeout_s=PATIENT_S, breaker_failures=100, breaker_reset_s=3600.0
    )
    return HttpClient(replace(patient, **changes))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_an_answer_comes_back_whatever_its_status(server: ScriptedServer) -> None:
    server.script = [says("201 Created", b'{"a":1.10}'), says("404 Not Found"), says("409 Conflict")]
    client = client_of(server.url)

    answers = [client.post("/things", {"n": 1}), client.get("/gone"), client.post("/again", {})]

    assert [answer.status for answer in answers] == [201, 404, 409]
    assert str(answers[0].json()["a"]) == "1.10"


def test_the_request_is_json_with_the_services_token(server: ScriptedServer) -> None:
    server.script = [says("200 OK")]
    client = client_of(server.url, token="secret")

    client.post("/things", {"n": 1})

    request = server.received[0]
    assert request.startswith(b"POST /things HTTP/1.1\r\n")
    assert b"Authorization: Bearer secret\r\n" in request
    assert b"Content-Type: application/json\r\n" in request
    assert request.endswith(b'\r\n\r\n{"n":1}')


def test_signed_bytes_are_sent_as_they_are(server: ScriptedServer) -> None:
    server.script = [says("200 OK")]

    client_of(server.url).post("/hooks", b'{"b":1,  "a":1.0}')

    assert b"Content-Type: application/json" in server.received[0]
    assert server.received[0].endswith(b'\r\n\r\n{"b":1,  "a":1.0}')


def test_a_refused_connection_was_surely_not_sent() -> None:
    with pytest.raises(NotSent):
        client_of(f"http://127.0.0.1:{free_port()}").post("/sales", {})


def test_an_unknown_name_was_surely_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)  # the operating system's resolver

    with pytest.raises(NotSent) as caught:
        client_of("http://bank.invalid").post("/sales", {})
    cause = caught.value.__cause__
    assert isinstance(cause, requests.ConnectionError)
    assert isinstance(cause.args[0].reason, NameResolutionError)


def test_a_connect_time_out_was_surely_not_sent() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:  # a full queue of connections answers nobody any more
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(address)

        with pytest.raises(NotSent):
            client_of(f"http://127.0.0.1:{address[1]}", connect_timeout_s=0.1).post("/sales", {})
        for one in waiting:
            one.close()


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(drops, id="dropped connection"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"), id="cut body"),
        pytest.param(
            raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'), id="cut chunked body"
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"), id="nonsense chunk"
        ),
        pytest.param(raw(b"SSH-2.0-OpenSSH\r\n"), id="not HTTP"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"), id="broken gzip"
        ),
        pytest.param(says("200 OK", b" " * (MAX_ANSWER_BYTES + 1)), id="endless body"),
    ],
)
def test_everything_after_the_request_left_is_unknown(server: ScriptedServer, behaviour: Behaviour) -> None:
    server.script = [behaviour]

    with pytest.raises(OutcomeUnknown):
        client_of(server.url).post("/sales", {})
    assert len(server.received) == 1  # urllib3 repeated nothing


def test_an_answer_that_does_not_come_in_time_is_unknown(server: ScriptedServer) -> None:
    server.script = [says_nothing]

    # The clock is held until the request has left; what passes then is the time-out of the socket.
    with FakeClock().running(), pytest.raises(OutcomeUnknown):
        client_of(server.url, timeout_s=0.3).post("/sales", {})
    server.close()
    assert len(server.received) == 1


def test_a_body_that_is_no_json_is_unknown_when_it_is_read(server: ScriptedServer) -> None:
    server.script = [says("200 OK", b"<html>")]

    answer = client_of(server.url).post("/sales", {})

    with pytest.raises(OutcomeUnknown):
        answer.json()


def test_a_5xx_is_an_answer_and_counts_against_the_breaker(server: ScriptedServer) -> None:
    server.script = [says("503 Service Unavailable", b"busy")]
    client = client_of(server.url, breaker_failures=3)

    answers = [client.post("/sales", {}) for _ in range(3)]

    assert [answer.status for answer in answers] == [503, 503, 503]
    with pytest.raises(NotSent, match="breaker"):
        client.post("/sales", {})
    assert len(server.received) == 3


def test_the_unknown_outcome_that_opens_the_breaker_is_still_unknown(server: ScriptedServer) -> None:
    server.script = [drops]
    client = client_of(server.url, breaker_failures=3)

    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            client.post("/sales", {})

    assert len(server.received) == 3
    with pytest.raises(NotSent, match="breaker"):
        client.post("/sales", {})
    assert len(server.received) == 3


def test_the_failed_trial_of_an_open_breaker_is_still_unknown(server: ScriptedServer) -> None:
    server.script = [drops]
    client = client_of(server.url, breaker_failures=1, breaker_reset_s=0.05)
    with pytest.raises(OutcomeUnknown):
        client.post("/sales", {})
    time.sleep(0.1)

    with pytest.raises(OutcomeUnknown):
        client.post("/sales", {})
    assert len(server.received) == 2


def test_the_breaker_closes_when_the_other_side_is_back(server: ScriptedServer) -> None:
    server.script = [drops, says("200 OK")]
    client = client_of(server.url, breaker_failures=1, breaker_reset_s=0.05)
    with pytest.raises(OutcomeUnknown):
        client.post("/sales", {})
    time.sleep(0.1)

    assert [client.post("/sales", {}).status for _ in range(3)] == [200, 200, 200]


def test_a_call_for_which_no_time_is_left_does_not_count_against_the_other_side(
    server: ScriptedServer,
) -> None:
    server.script = [says("200 OK")]
    client = client_of(server.url, breaker_failures=1)

    with time_budget(0), pytest.raises(NotSent, match="no time left"):
        client.post("/sales", {})

    assert client.post("/sales", {}).status == 200


def test_the_bulkhead_refuses_when_all_places_are_taken(server: ScriptedServer) -> None:
    others_were_refused = threading.Event()

    def hangs_up_late(_connection: socket.socket) -> None:
        others_were_refused.wait(PATIENT_S)

    server.script = [hangs_up_late, says("200 OK")]
    client = client_of(server.url, max_concurrent=1, max_wait_s=0.05)
    outcomes: list[Answer | CallFailed] = []
    slow = threading.Thread(target=lambda: outcomes.append(_outcome(client)))
    slow.start()
    while not server.received:
        time.sleep(0.005)

    with pytest.raises(TooManyCalls):
        client.post("/sales", {})
    others_were_refused.set()
    slow.join()

    assert isinstance(outcomes[0], OutcomeUnknown)
    assert len(server.received) == 1
    assert client.post("/sales", {}).status == 200  # the place is free again


def _outcome(client: HttpClient) -> Answer | CallFailed:
    try:
        return client.post("/sales", {})
    except CallFailed as exc:
        return exc


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_redirects_are_answers_and_never_followed(server: ScriptedServer, status: str) -> None:
    server.script = [says(status, b"", "Location: /elsewhere")]

    answer = client_of(server.url).post("/sales", {})

    assert answer.status == int(status[:3])
    assert len(server.received) == 1


def test_nothing_is_sent_inside_a_transaction(server: ScriptedServer) -> None:
    def in_transaction() -> None:
        raise NetworkCallInTransaction

    server.script = [says("200 OK")]
    client = HttpClient(Dependency("other", server.url, PATIENT_S), before_call=in_transaction)

    with pytest.raises(NetworkCallInTransaction):
        client.post("/sales", {})
    assert server.received == []


@pytest.mark.parametrize(("timeout_s", "budget_s"), [(PATIENT_S, 3600.0), (3600.0, PATIENT_S)])
def test_an_answer_that_drips_ends_with_the_dependencys_or_the_requests_time(
    server: ScriptedServer, timeout_s: float, budget_s: float
) -> None:
    clock = FakeClock()
    drips = Drips(clock)
    server.script = [drips]

    with (
        clock.running(),
        time_budget(budget_s),
        pytest.raises(OutcomeUnknown, match="did not end in time"),
    ):
        client_of(server.url, timeout_s=timeout_s).post("/sales", {})

    server.close()
    assert not drips.was_heard_to_the_end


def test_a_failure_is_logged_and_told_without_addresses(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[dict[str, object]] = []
    monkeypatch.setattr(client_log, "warning", lambda _event, **data: lines.append(data), raising=False)
    server.script = [drops]

    with pytest.raises(OutcomeUnknown) as caught:
        client_of(server.url).post("/network/sales?number=4242424242424242", {})

    assert "127.0.0.1" not in str(caught.value)
    assert "4242" not in str(caught.value) + str(lines)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ],
    ids=["length", "chunked"],
)
def test_a_connection_serves_one_call_after_the_other(server: ScriptedServer, answer: bytes) -> None:
    def answer_twice(connection: socket.socket) -> None:
        connection.sendall(answer)
        server.received.append(_read_request(connection))
        connection.sendall(answer)

    server.script = [answer_twice, drops]
    client = client_of(server.url)

    assert [client.post("/sales", {}).body for _ in range(2)] == [b"{}", b"{}"]
