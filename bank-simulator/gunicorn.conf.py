from typing import Any

from bank_simulator.worker import background
from service_kit.process.garbage import calm_garbage_collector
from service_kit.process.gunicorn import settings

# The slow card keeps a thread for 8 s.
globals().update(settings(5012, threads=24))
wsgi_app = "bank_simulator.app:create_app()"


def post_worker_init(worker: Any) -> None:
    """Let every web process deliver events and end what is overdue."""
    worker.background = background(worker.wsgi)
    calm_garbage_collector()
    worker.background.start()


def worker_exit(_server: Any, worker: Any) -> None:
    if hasattr(worker, "background"):
        worker.background.stop()
