"""A real Chromium in front of the running system, and the steps that a payer takes in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S = 30
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


@pytest.fixture
def is_paid() -> Callable[[str], bool]:
    """Say whether the payment of a link is paid, as its JSON says."""

    def ask(link: str) -> bool:
        answer = requests.get(link.replace("/process/", "/"), timeout=PATIENCE_S)
        answer.raise_for_status()
        return answer.json()["is_paid"] is True

    return ask
