"""A real gunicorn with the services' settings, and an application of a test's own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 120

_CONF = """
from service_kit.process.gunicorn import settings

globals().update(settings(0, threads=4))
graceful_timeout = 600
wsgi_app = "own_app:app"
"""


@dataclass
class WebProcess:
    """A gunicorn that runs, in ``folder``."""

    process: "subprocess.Popen[bytes]"
    port: int
    folder: Path

    def connect(self) -> socket.socket:
        """Open a bare connection, for requests that no client library would send."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def is_refused(self) -> bool:
        """Whether nobody takes connections."""
        try:
            self.connect().close()
        except ConnectionRefusedError:
            return True
        return False

    @property
    def logged(self) -> str:
        """What it printed until now."""
        return (self.folder / "log").read_text()


@contextmanager
def web_process(folder: Path, app: str, **environment: str) -> Iterator[WebProcess]:
    """Serve the module ``app``, which defines ``app``, with 4 threads; ``environment`` is added to ours."""
    (folder / "gunicorn.conf.py").write_text(_CONF)
    (folder / "own_app.py").write_text(app)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn"],
            cwd=folder,
            env={**os.environ, "BIND": f"127.0.0.1:{port}", **environment},
            stderr=log,
        )
    try:
        running = WebProcess(process, port, folder)
        wait_until(lambda: not running.is_refused())
        yield running
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what will be so; AssertionError when it is not."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
