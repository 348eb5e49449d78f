"""A web process that stops: who is being answered gets his answer, who comes now is refused at once."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.testkit.web_process import PATIENCE_S, WebProcess, wait_until, web_process

# Answers when the file `go` is there, and says by the file `begun` that it has a request to answer.
APP = """
import pathlib, time

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        pathlib.Path("begun").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.01)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebProcess]:
    with web_process(tmp_path, APP) as running:
        yield running


def test_a_stopping_process_refuses_new_connections_and_answers_the_old(web: WebProcess) -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(requests.get, f"http://127.0.0.1:{web.port}/slow", timeout=PATIENCE_S)
        wait_until((web.folder / "begun").exists)

        web.process.send_signal(signal.SIGTERM)

        try:
            wait_until(web.is_refused)
            is_still_at_work = not slow.done()
        finally:
            (web.folder / "go").touch()
        assert is_still_at_work
        assert slow.result().text == "ok"
    assert web.process.wait(PATIENCE_S) == 0


def test_a_request_that_cannot_be_read_is_logged_without_its_numbers(web: WebProcess) -> None:
    with web.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nx4111 1111 1111 1111 bad header\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")

    web.process.send_signal(signal.SIGTERM)
    web.process.wait(PATIENCE_S)
    assert "Invalid" in web.logged
    assert "*************" in web.logged
    assert "1111" not in web.logged
