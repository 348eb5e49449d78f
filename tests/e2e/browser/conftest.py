"""A real Chromium in front of the running system, and the steps that a payer takes in it."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest
import requests
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from sqlalchemy import create_engine, text

from tests.system.whole import WholeSystem

PATIENCE_S = 150
BACK = "http://127.0.0.1:9/back-at-the-shop"
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
)


class RunningSystem(Protocol):
    """What these tests need of the fixture `running_system`."""

    @property
    def gateway_url(self) -> str: ...

    @property
    def whole(self) -> WholeSystem: ...


@dataclass
class Payer:
    """A person with a browser; the page tells them everything, so the tests read only the page."""

    driver: webdriver.Chrome

    def open(self, url: str) -> None:
        self.driver.get(url)

    @property
    def heading(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "h1").text

    @property
    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "main").text

    @property
    def status(self) -> int:
        """The status code with which the page shown came."""
        status: int = self.run("return performance.getEntriesByType('navigation')[0].responseStatus")
        return status

    @property
    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def field(self, name: str) -> WebElement:
        return self.driver.find_element(By.NAME, name)

    @property
    def submit_button(self) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, "button[type=submit]")

    def fill(self, number: str, *, expiry: str = "01/30", code: str = "123", email: str = "") -> None:
        given = {"cardNumber": number, "expirationDate": expiry, "cardCode": code, "email": email}
        for name, value in given.items():
            self.field(name).clear()
            self.field(name).send_keys(value)

    def pay(self, number: str, **others: str) -> None:
        self.fill(number, **others)
        self.leave_page_by(self.submit_button.click)

    def look_again(self) -> None:
        self.leave_page_by(self.driver.find_element(By.CSS_SELECTOR, "a.button").click)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for what happens by itself, or where no script can say that a page is another one."""
        # A new document may take the old one's place between finding and reading.
        WebDriverWait(
            self.driver,
            PATIENCE_S,
            poll_frequency=0.5,
            ignored_exceptions=(NoSuchElementException, StaleElementReferenceException),
        ).until(lambda _: is_so())

    def leave_page_by(self, action: Callable[[], object]) -> None:
        """Do what loads a page, and wait until another document is there."""
        self.run("document.documentElement.dataset.before = 'yes'")
        action()
        WebDriverWait(self.driver, PATIENCE_S).until(
            lambda _: self.run(
                "return document.readyState === 'complete' && !document.documentElement.dataset.before"
            ),
            "no new page",
        )

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def complaints(self) -> list[str]:
        """What the browser's console says, above all about the content security policy."""
        # A status of 4xx or 5xx is reported there too; the tests read that from the page.
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in entries if "Failed to load resource" not in entry["message"]]


class OpensBrowser(Protocol):
    """Opens a browser of a language and a size in CSS pixels."""

    def __call__(self, language: str = "fr", width: int = 1280, height: int = 900) -> Payer: ...


@pytest.fixture
def open_browser(tmp_path: Path) -> Iterator[OpensBrowser]:
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        reason = "needs chromium and chromedriver (Debian: chromium, chromium-driver)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    numbers = count()
    with ExitStack() as opened:

        def start(language: str = "fr", width: int = 1280, height: int = 900) -> Payer:
            options = Options()
            options.binary_location = chromium
            for argument in (*QUIET, f"--user-data-dir={tmp_path / f'browser-{next(numbers)}'}"):
                options.add_argument(argument)
            options.add_experimental_option("prefs", {"intl.accept_languages": language})
            options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
            driver = webdriver.Chrome(options=options, service=Service(chromedriver))
            opened.callback(driver.quit)
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
            )
            return Payer(driver)

        yield start


@pytest.fixture
def new_payment(running_system: RunningSystem) -> Callable[..., str]:
    """Create a payment as Store Manager does, and return its link."""

    def create(amount: str = "249.50") -> str:
        body = {"user_id": 4211, "order_id": 999, "total_amount": amount}
        url = f"{running_system.gateway_url}/payments-api/payments"
        answer = requests.post(url, json=body, timeout=PATIENCE_S)
        answer.raise_for_status()
        return f"{url}/process/{answer.json()['payment_id']}"

    return create


@dataclass(frozen=True)
class Merchant:
    """The lab's merchant on /v1, through the gateway."""

    gateway_url: str
    bearer: dict[str, str]

    def create(self, **changes: Any) -> dict[str, Any]:
        """Create a payment for the checkout page."""
        wanted = {"amount": 24950, "currency": "MAD", "order_id": "A-17", "return_url": BACK, **changes}
        headers = {**self.bearer, "Idempotency-Key": uuid4().hex}
        url = f"{self.gateway_url}/v1/payments"
        return self._read(requests.post(url, json=wanted, headers=headers, timeout=PATIENCE_S))

    def payment(self, payment_id: str) -> dict[str, Any]:
        """Read a payment."""
        url = f"{self.gateway_url}/v1/payments/{payment_id}"
        return self._read(requests.get(url, headers=self.bearer, timeout=PATIENCE_S))

    @staticmethod
    def _read(answer: requests.Response) -> dict[str, Any]:
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


@pytest.fixture(scope="session")
def merchant(running_system: RunningSystem) -> Merchant:
    """Return the merchant whose credentials `make run` leaves behind."""
    client = json.loads(running_system.whole.settings.lab_client_file.read_text())
    pair = (client["client_id"], client["client_secret"])
    form = {"grant_type": "client_credentials"}
    answer = requests.post(client["token_url"], data=form, auth=pair, timeout=PATIENCE_S)
    answer.raise_for_status()
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return Merchant(running_system.gateway_url, bearer)


@pytest.fixture
def return_link(running_system: RunningSystem) -> Callable[[str], str]:
    """Return where the bank would send the browser back, which only our database and the bank know."""

    def look_up(payment_id: str) -> str:
        engine = create_engine(running_system.whole.database_url("payment-service"))
        asked = text(
            "SELECT return_token FROM payment_attempts a JOIN payments p ON p.id = a.payment_id "
            "WHERE p.public_id = :payment_id ORDER BY a.id DESC"
        )
        with engine.connect() as connection:
            token = connection.scalars(asked, {"payment_id": payment_id}).first()
        engine.dispose()
        return f"{running_system.gateway_url}/checkout/3ds/{token}"

    return look_up


@pytest.fixture
def is_paid() -> Callable[[str], bool]:
    """Say whether the payment of a link is paid, as its JSON says."""

    def ask(link: str) -> bool:
        answer = requests.get(link.replace("/process/", "/"), timeout=PATIENCE_S)
        answer.raise_for_status()
        return answer.json()["is_paid"] is True

    return ask
