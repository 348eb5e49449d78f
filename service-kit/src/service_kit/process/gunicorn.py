"""What the gunicorn.conf.py of every service has in common."""

import select
from pathlib import Path
from typing import Any

from environs import Env
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from service_kit.process.garbage import calm_garbage_collector
from service_kit.process.logs import mask_record
from service_kit.process.memory import keep_memory_private

# Heartbeats go to a file: in memory where there is such a folder, so that a busy disk stops no worker.
_MEMORY = Path("/dev/shm")  # noqa: S108


class MaskingLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own log, which shows requests that it could not read, without what may be a card number."""

    def setup(self, cfg: Any) -> None:
        """Set the log up."""
        super().setup(cfg)
        self.error_log.addFilter(mask_record)


class RefusingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gthread, which refuses new connections while it answers its last requests.

    gthread itself leaves them unanswered until it ends: a gateway would wait for its time-out instead of
    telling its client at once.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not; at the end of a worker, take those that wait already and close."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            while listener.sock and select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()


def _settle_in(_worker: ThreadWorker) -> None:
    calm_garbage_collector()
    keep_memory_private()


def settings(default_port: int, *, workers: int = 1, threads: int = 16) -> dict[str, Any]:
    """Return gunicorn's settings; ``BIND``, ``WEB_WORKERS`` and ``WEB_THREADS`` change them."""
    env = Env()
    return {
        "bind": env.str("BIND", f"127.0.0.1:{default_port}"),
        "workers": env.int("WEB_WORKERS", workers),
        "threads": env.int("WEB_THREADS", threads),
        # HTTP/1.1 with kept-alive connections: a sync worker's 1.0 answers would close the client's too.
        "worker_class": RefusingWorker,
        # Longer than the gateway keeps idle connections (30 s): a stale one would cost a request.
        "keepalive": 75,
        "timeout": 60,
        "graceful_timeout": 25,
        "accesslog": None,
        "logger_class": MaskingLogger,
        "worker_tmp_dir": str(_MEMORY) if _MEMORY.is_dir() else None,
        "control_socket_disable": True,
        "post_worker_init": _settle_in,
    }
