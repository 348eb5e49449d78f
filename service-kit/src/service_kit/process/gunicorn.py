"""What the gunicorn.conf.py of every service has in common."""

from pathlib import Path
from typing import Any

from environs import Env
from gunicorn.glogging import Logger

from service_kit.process.garbage import calm_garbage_collector
from service_kit.process.logs import mask_record
from service_kit.process.memory import keep_memory_private
from service_kit.process.web_worker import WebWorker

# Heartbeats go to a file: in memory where there is such a folder, so that a busy disk stops no worker.
_MEMORY = Path("/dev/shm")  # noqa: S108


class MaskingLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own log, which shows requests that it could not read, without what may be a card number."""

    def setup(self, cfg: Any) -> None:
        """Set the log up."""
        super().setup(cfg)
        self.error_log.addFilter(mask_record)


def _settle_in(_worker: WebWorker) -> None:
    calm_garbage_collector()
    keep_memory_private()


def _worker_class(request_within_s: float) -> type[WebWorker]:
    return type("WebWorker", (WebWorker,), {"request_within_s": request_within_s})


def settings(default_port: int, *, workers: int = 1, threads: int = 16) -> dict[str, Any]:
    """Return gunicorn's settings; ``BIND`` and those that begin with ``WEB_`` change them."""
    env = Env()
    return {
        "bind": env.str("BIND", f"127.0.0.1:{default_port}"),
        "workers": env.int("WEB_WORKERS", workers),
        "threads": env.int("WEB_THREADS", threads),
        # Files, memory and time for each are bounded: the oldest silent one gives way to the next.
        "worker_connections": env.int("WEB_CONNECTIONS", 512),
        # HTTP/1.1 with kept-alive connections: a sync worker's 1.0 answers would close the client's too.
        "worker_class": _worker_class(env.float("WEB_REQUEST_WITHIN_S", 2.0)),
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
