"""A web process that stops: who is being answered gets his answer, who comes now is refused at once."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

PATIENCE_S = 120

CONF = """
from service_kit.process.gunicorn import settings

globals().update(settings(0, threads=4))
graceful_timeout = 600
wsgi_app = "slow_app:app"
"""

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
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gunicorn.conf.py").write_text(CONF)
    (tmp_path / "slow_app.py").write_text(APP)
    return tmp_path


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found


@pytest.fixture
def gunicorn(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn"],
            cwd=folder,
            env={**os.environ, "BIND": f"127.0.0.1:{port}"},
            stderr=log,
        )
    try:
        wait_until(lambda: not is_refused(port))
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def test_a_stopping_process_refuses_new_connections_and_answers_the_old(
    gunicorn: "subprocess.Popen[bytes]", folder: Path, port: int
) -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(requests.get, f"http://127.0.0.1:{port}/slow", timeout=PATIENCE_S)
        wait_until((folder / "begun").exists)

        gunicorn.send_signal(signal.SIGTERM)

        try:
            wait_until(lambda: is_refused(port))
            is_still_at_work = not slow.done()
        finally:
            (folder / "go").touch()
        assert is_still_at_work
        assert slow.result().text == "ok"
    assert gunicorn.wait(PATIENCE_S) == 0


def test_a_request_that_cannot_be_read_is_logged_without_its_numbers(
    gunicorn: "subprocess.Popen[bytes]", folder: Path, port: int
) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nx4111 1111 1111 1111 bad header\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")

    gunicorn.send_signal(signal.SIGTERM)
    gunicorn.wait(PATIENCE_S)
    logged = (folder / "log").read_text()
    assert "Invalid" in logged
    assert "*************" in logged
    assert "1111" not in logged


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
    except ConnectionRefusedError:
        return True
    return False


def wait_until(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
