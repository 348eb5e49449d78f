"""The worker as a real process: woken, killed, started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from notification_service.app import create_app
from notification_service.config import Config
from notification_service.extensions import db
from werkzeug.test import TestResponse

PATH = "/internal/events"
Tell = Callable[..., TestResponse]
Start = Callable[..., subprocess.Popen[bytes]]


def eventually(is_true: Callable[[], bool], within_s: float = 120) -> None:
    """Wait until it is so; the bound only ends a test that would hang."""
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def wake_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def start_worker(config: Config, wake_address: str, tmp_path: Path) -> Iterator[Start]:
    """Start a worker; whatever still runs at the end is stopped."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(**settings: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "DATABASE_URL": config.database_url,
            "OUTBOX_DIR": str(config.outbox_dir),
            "WORKER_WAKE_ADDRESS": wake_address,
            "SMTP_TIMEOUT_S": "120",
            **settings,
        }
        command = [sys.executable, "-m", "notification_service", "worker"]
        log = tmp_path / f"worker-{len(processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        processes.append(process)
        eventually(lambda: b"worker_started" in log.read_bytes())
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def waking_client(app: Flask, config: Config, wake_address: str) -> Iterator[FlaskClient]:
    waking_app = create_app(replace(config, worker_wake_address=wake_address))
    client = waking_app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer lab-service-token"
    yield client
    with waking_app.app_context():
        db.engine.dispose()


def test_a_worker_delivers_what_arrives_and_stops_when_told(
    waking_client: FlaskClient,
    body: dict[str, Any],
    state: Callable[..., dict[str, Any]],
    start_worker: Start,
) -> None:
    worker = start_worker()

    waking_client.post(PATH, json={"events": [body]})
    eventually(lambda: state()["status"] == "sent")
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=120) == 0
    assert len(state()["attempts"]) == 1


def test_a_worker_killed_between_sending_and_recording_is_repeated_recognisably(
    tell: Tell,
    body: dict[str, Any],
    state: Callable[..., dict[str, Any]],
    mail_server: Any,
    make_due: Callable[[], None],
    start_worker: Start,
    read_mail: Callable[[bytes], EmailMessage],
) -> None:
    settings = {"SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}"}
    victim = start_worker(**settings)
    mail_server.on_data = victim.kill

    tell(body)
    victim.wait(timeout=120)
    mail_server.on_data = lambda: None
    after_the_kill = state()
    make_due()  # the lease of the dead worker is over
    start_worker(**settings)
    eventually(lambda: state()["status"] == "sent")

    assert (after_the_kill["status"], after_the_kill["attempts"]) == ("queued", [])
    first, second = (read_mail(content) for content in mail_server.received)
    assert first["Message-ID"] == second["Message-ID"]
    assert mail_server.received[0] == mail_server.received[1]
    assert [attempt["number"] for attempt in state()["attempts"]] == [2]


def test_a_worker_killed_after_a_file_was_written_leaves_one_file(
    tell: Tell,
    body: dict[str, Any],
    config: Config,
    state: Callable[..., dict[str, Any]],
    start_worker: Start,
) -> None:
    tell(body)
    notification_id = state()["notification_id"]
    config.outbox_dir.mkdir()
    (config.outbox_dir / f"{notification_id}.eml").write_bytes(b"of the killed worker")

    start_worker()
    eventually(lambda: state()["status"] == "sent")

    (file,) = config.outbox_dir.iterdir()
    assert file.read_bytes().startswith(b"Content-Type: multipart/alternative")
