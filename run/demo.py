"""`make demo`: an order is placed, paid and updated, and the customer gets a receipt; each step is shown."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default as modern_mail
from pathlib import Path
from typing import Any, TypeVar

import click
import requests

from run.demo_stage import Stage
from run.first_payment import CARD
from run.terminal import shown_path

T = TypeVar("T")
_PATIENCE_S = 15.0
_ORDER = {"user_id": 1, "items": [{"product_id": 2, "quantity": 1}, {"product_id": 3, "quantity": 2}]}


class DemoFailed(Exception):
    """The system did not do what the demo shows; the message says at which step."""


@dataclass
class Demo:
    """The play: its methods are its steps."""

    stage: Stage
    _step: int = 0

    def play(self) -> None:
        """Play all steps.

        Raises:
            DemoFailed: the system did something else.
        """
        order_id = self.place_order()
        link = self.find_link(order_id)
        self.open_link(link)
        self.pay(link)
        self.see_update(order_id)
        self.see_receipt(link.rpartition("/")[2])
        self.pay(link, again=True)

    def place_order(self) -> int:
        """A customer orders in the shop, which asks for a payment before it answers."""
        answer = self._call("POST", "/store-manager-api/orders", _ORDER)
        order_id = int(answer.json()["order_id"])
        self._show("A customer orders; the shop asks Caisse for a payment", f"order {order_id}")
        return order_id

    def find_link(self, order_id: int) -> str:
        """The shop shows the payment's link; its host is a name of the Docker network."""
        shown = self._call("GET", f"/store-manager-api/orders/{order_id}").json()
        link = str(shown["payment_link"])
        path = link[link.index("/payments-api/") :]
        payment_id = path.rpartition("/")[2]
        if payment_id in {"0", "None"}:
            raise DemoFailed(f"The shop got no payment for its order and stored {link}.")
        self._show("The order holds the payment's link", f"payment {payment_id}: {self.stage.gateway}{path}")
        return path

    def open_link(self, path: str) -> None:
        """A person opens the link."""
        page = self._call("GET", path, accept="text/html").text
        title = page.partition("<title>")[2].partition("</title>")[0].strip()
        self._show("The link opens a payment page", f"“{title}”")

    def pay(self, path: str, *, again: bool = False) -> None:
        """The card is posted to the same address; the second time nothing is charged."""
        answer = self._call("POST", path, json.loads(CARD)).json()
        if answer.get("is_paid") is not True:
            raise DemoFailed(f"The payment was not taken: {answer}")
        title = "The card again: the same answer, no second charge" if again else "The test card is charged"
        self._show(title, json.dumps(answer))

    def see_update(self, order_id: int) -> None:
        """The outbox tells the shop."""
        path = f"/store-manager-api/orders/{order_id}"
        started_s = time.monotonic()

        def paid() -> bool:
            return bool(self._call("GET", path).json().get("is_paid") == "True")

        _until(paid, "the shop's order is still unpaid")
        took_s = time.monotonic() - started_s
        self._show("The shop's order is updated", f"is_paid: True, {took_s:.1f} s after the answer")

    def see_receipt(self, payment_id: str) -> None:
        """notification-service writes the receipt."""

        def newest() -> Path | None:
            mails = [mail for mail in self.stage.mail.rglob("*.eml") if mail not in self.stage.old_mail]
            return max(mails, key=lambda mail: mail.stat().st_mtime, default=None)

        mail = _until(newest, f"no receipt of payment {payment_id} came to {self.stage.mail}")
        message = message_from_bytes(mail.read_bytes(), policy=modern_mail)
        self._show("The customer gets a receipt", f"{message['To']}: “{message['Subject']}”")
        click.echo(f"   {shown_path(mail)}")

    def _call(self, method: str, path: str, body: Any = None, accept: str = "*/*") -> requests.Response:
        url = f"{self.stage.gateway}{path}"
        try:
            answer = requests.request(method, url, json=body, headers={"Accept": accept}, timeout=_PATIENCE_S)
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
    deadline_s = time.monotonic() + _PATIENCE_S
    while not (seen := look()):
        if time.monotonic() > deadline_s:
            raise DemoFailed(f"After {_PATIENCE_S:g} s {failure}.")
        time.sleep(0.1)
    return seen
