"""`make demo`: an order is placed, paid and updated, and the customer gets a receipt; each step is shown.

It uses the running system, or starts one of its own; it uses Store Manager, or starts a stand-in for it.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default as modern_mail
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
import requests

from run import spawn
from run.folder import CannotStart, RunLock
from run.guard import Guard
from run.settings import RunSettings
from run.start import CARD
from run.supervisor import last_lines, shown_path

T = TypeVar("T")
START_WITHIN_S = 120.0
STOP_WITHIN_S = 10.0
ANSWER_WITHIN_S = 15.0
_ORDER = {"user_id": 1, "items": [{"product_id": 2, "quantity": 1}, {"product_id": 3, "quantity": 2}]}


class DemoFailed(Exception):
    """The system did not do what the demo shows; the message says at which step."""


@dataclass(frozen=True)
class System:
    """A running system with a shop, and the receipts that were there before the demo."""

    gateway: str
    mail: Path
    old_mail: frozenset[Path]


def demo(settings: RunSettings) -> None:
    """Show all steps.

    Raises:
        CannotStart: no system could be started; the message holds its log.
        DemoFailed: the system did something else.
    """
    with _system(settings) as system:
        _Demo(system).run()


@contextmanager
def _system(settings: RunSettings) -> Iterator[System]:
    """Give a running system with a shop, and stop afterwards what was started for it."""
    with ExitStack() as started:
        if settings.ready_file.exists() and RunLock(settings.run_dir).is_held():
            click.echo("Playing on the running system.")
        else:
            click.echo("No `make run` is running: starting a system on free ports, for the demo alone …")
            settings = RunSettings.on_free_ports(settings.run_dir / "demo")
            log = settings.run_dir / "supervisor.log"
            environment = settings.as_environment()
            started.enter_context(_program("run", ("up",), environment, log, settings.ready_file.exists))
        ready = json.loads(settings.ready_file.read_text())
        gateway, shop, mail = ready["gateway"], ready["store_manager"], Path(ready["mail"])
        if not _listens(shop):
            click.echo(f"A stand-in shop plays Store Manager at {shop}, where nobody listens.")
            options = ("--port", str(urlsplit(shop).port), "--gateway", gateway)
            log = settings.logs / "stand-in-shop.log"
            started.enter_context(_program("tests.stand_in_shop", options, {}, log, lambda: _listens(shop)))
        yield System(gateway, mail, frozenset(mail.rglob("*.eml")))


@contextmanager
def _program(
    module: str,
    options: tuple[str, ...],
    environment: Mapping[str, str],
    log: Path,
    is_ready: Callable[[], bool],
) -> Iterator[None]:
    """Run a program that does not outlive the block, nor us.

    Raises:
        CannotStart: it did not become ready.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    guard = Guard()
    process = spawn.start((sys.executable, "-m", module, *options), environment, log)
    guard.watch(process.pid)
    try:
        deadline_s = time.monotonic() + START_WITHIN_S
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise CannotStart("\n".join([f"It did not start ({log}):", *last_lines(log, 20)]))
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            spawn.kill_group(process.pid)
            process.wait()
        guard.forget(process.pid)
        guard.close()


def _listens(url: str) -> bool:
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname, address.port or 80), timeout=1):
            return True
    except OSError:
        return False


@dataclass
class _Demo:
    """The steps, which are its methods in the order of `run`."""

    system: System
    _step: int = 0

    def run(self) -> None:
        order_id = self.place_order()
        link = self.find_link(order_id)
        self.open_link(link)
        self.pay(link)
        self.see_update(order_id)
        self.see_receipt(link.rpartition("/")[2])
        self.pay(link, again=True)

    def place_order(self) -> int:
        answer = self._call("POST", "/store-manager-api/orders", _ORDER)
        order_id = int(answer.json()["order_id"])
        self._show("A customer orders; the shop asks Caisse for a payment", f"order {order_id}")
        return order_id

    def find_link(self, order_id: int) -> str:
        """Return the path of the payment's link; its host is a name of the Docker network."""
        shown = self._call("GET", f"/store-manager-api/orders/{order_id}").json()
        link = str(shown["payment_link"])
        path = link[link.index("/payments-api/") :]
        payment_id = path.rpartition("/")[2]
        if payment_id in {"0", "None"}:
            raise DemoFailed(f"The shop got no payment for its order and stored {link}.")
        self._show("The order holds the payment's link", f"payment {payment_id}: {self.system.gateway}{path}")
        return path

    def open_link(self, path: str) -> None:
        page = self._call("GET", path, accept="text/html").text
        title = page.partition("<title>")[2].partition("</title>")[0].strip()
        self._show("The link opens a payment page", f"“{title}”")

    def pay(self, path: str, *, again: bool = False) -> None:
        answer = self._call("POST", path, json.loads(CARD)).json()
        if answer.get("is_paid") is not True:
            raise DemoFailed(f"The payment was not taken: {answer}")
        title = "The card again: the same answer, no second charge" if again else "The test card is charged"
        self._show(title, json.dumps(answer))

    def see_update(self, order_id: int) -> None:
        path = f"/store-manager-api/orders/{order_id}"
        started_s = time.monotonic()

        def is_paid() -> bool:
            return bool(self._call("GET", path).json().get("is_paid") == "True")

        _until(is_paid, "the shop's order is still unpaid")
        took_s = time.monotonic() - started_s
        self._show("The shop's order is updated", f"is_paid: True, {took_s:.1f} s after the answer")

    def see_receipt(self, payment_id: str) -> None:
        def newest() -> Path | None:
            mails = set(self.system.mail.rglob("*.eml")) - self.system.old_mail
            return max(mails, key=lambda mail: mail.stat().st_mtime, default=None)

        mail = _until(newest, f"no receipt of payment {payment_id} came to {self.system.mail}")
        message = message_from_bytes(mail.read_bytes(), policy=modern_mail)
        self._show("The customer gets a receipt", f"{message['To']}: “{message['Subject']}”")
        click.echo(f"   {shown_path(mail)}")

    def _call(self, method: str, path: str, body: Any = None, accept: str = "*/*") -> requests.Response:
        url = f"{self.system.gateway}{path}"
        headers = {"Accept": accept}
        try:
            answer = requests.request(method, url, json=body, headers=headers, timeout=ANSWER_WITHIN_S)
        except requests.RequestException as exc:
            raise DemoFailed(f"{method} {url} was not answered ({type(exc).__name__}).") from exc
        if not answer.ok:
            hint = " (the order limit: try again in a minute)" if answer.status_code == 503 else ""
            raise DemoFailed(f"{method} {url} → {answer.status_code}{hint} {answer.text[:300]}")
        return answer

    def _show(self, title: str, detail: str) -> None:
        self._step += 1
        click.secho(f"{self._step}. {title}", bold=True)
        click.echo(f"   {detail}")


def _until(look: Callable[[], T | None], failure: str) -> T:
    """Look until there is something to see."""
    deadline_s = time.monotonic() + ANSWER_WITHIN_S
    while not (seen := look()):
        if time.monotonic() > deadline_s:
            raise DemoFailed(f"After {ANSWER_WITHIN_S:g} s {failure}.")
        time.sleep(0.1)
    return seen
