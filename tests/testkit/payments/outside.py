"""The shop and our other services, as the worker of payment-service reaches them."""

import threading
from collections.abc import Collection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from payment_service.models.message import OutboxMessage
from payment_service.models.position import Follower
from payment_service.worker import build_loops
from service_kit.clock import utc_now
from service_kit.jobs.loops import Loop, QueueLoop
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests.testkit.payments.config import make_config
from tests.testkit.payments.world import World, Worlds

UPDATED = (200, b'{"updated": true}')
PLACES = ("/orders", "/internal/events", "/internal/outcomes")


class Outside:
    """The shop and our other services on one socket: each plays its script, then takes everything.

    A body with one of ``never`` in it is refused for good.
    """

    def __init__(self) -> None:
        self.reset()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                place = self.path
                outside.received[place].append((self.command, dict(self.headers), body))
                default = UPDATED if place == "/orders" else (202, b'{"accepted": 1}')
                status, answer = outside.script[place].pop(0) if outside.script[place] else default
                if any(word in body for word in outside.never):
                    status, answer = 400, b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_PUT = do_POST = _handle  # noqa: N815  the base class's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def reset(self) -> None:
        self.received: dict[str, list[tuple[str, dict[str, str], bytes]]] = {place: [] for place in PLACES}
        self.script: dict[str, list[tuple[int, bytes]]] = {place: [] for place in PLACES}
        self.never: Collection[bytes] = ()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def worlds_with(outside: Outside, database_url: str) -> Worlds:
    """Return worlds whose worker tells ``outside``."""
    return Worlds(
        make_config(
            database_url,
            store_manager_orders_url=f"{outside.address}/orders",
            notification_service_url=outside.address,
            fraud_service_url=outside.address,
        )
    )


def deliver(world: World) -> None:
    """Do one turn of every loop of the worker that tells others, and wait for what it began."""
    for loop in told_by(world):
        loop.turn()
        if isinstance(loop, QueueLoop):
            loop.close()


def told_by(world: World) -> list[Loop]:
    """Return the loops that tell others, in the order in which they find each other's work done."""
    loops = {loop.name: loop for loop in build_loops(world.app, world.config)}
    names = (
        "event_positions",
        "events_feed",
        "fraud_outcomes_feed",
        "store_manager",
        "events",
        "fraud_outcomes",
    )
    return [loops[name] for name in names]


def make_due(world: World) -> None:
    """Let every pause before the next try, and every lease, be over."""

    def work(session: Session) -> None:
        session.execute(update(OutboxMessage).values(next_attempt_at=utc_now()))
        session.execute(update(Follower).values(next_try_at=utc_now()))

    world.change(work)
