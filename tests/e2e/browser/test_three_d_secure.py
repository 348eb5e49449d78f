"""A person whose bank wants to see who pays: the challenge, in a real browser, on the bank's own page.

Through the gateway to the payment page, from there to the bank-simulator's page, and back.
"""

from collections.abc import Callable

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from .conftest import BACK, Merchant, OpensBrowser, Payer

pytestmark = pytest.mark.deep

CHALLENGED_CARD = "4000100000000075"
FRICTIONLESS_CARD = "4000100000000067"
GOOD_CARD = "4242 4242 4242 4242"
CODE, WRONG_CODE = "123456", "000000"
AT_THE_BANK = {"en": "Confirm your payment", "fr": "Confirmez votre paiement"}
HANDED_OVER = {
    "en": "Your bank wants to know that it is you",
    "fr": "Votre banque veut s’assurer que c’est bien vous",  # noqa: RUF001 - as it is printed
}
PAID = {"en": "Payment received", "fr": "Paiement reçu"}

IsPaid = Callable[[str], bool]
NewPayment = Callable[..., str]


def go_on(payer: Payer) -> None:
    """Follow the page's only link that is a button."""
    payer.leave_page_by(payer.driver.find_element(By.CSS_SELECTOR, "a.button:not(.quiet)").click)


def use_another_card(payer: Payer) -> None:
    payer.leave_page_by(payer.driver.find_element(By.CSS_SELECTOR, "button.quiet").click)


def type_code(payer: Payer, code: str) -> None:
    payer.field("code").send_keys(code)
    payer.leave_page_by(payer.submit_button.click)


def fits_the_window(payer: Payer) -> bool:
    return payer.run("return document.documentElement.scrollWidth <= window.innerWidth") is True


def go_to_the_bank(payer: Payer, link: str, language: str = "en") -> None:
    payer.open(link)
    payer.pay(CHALLENGED_CARD)
    assert payer.heading == HANDED_OVER[language]
    assert payer.status == 202
    go_on(payer)
    assert payer.heading == AT_THE_BANK[language]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [1280, 375, 320], ids=["desktop", "phone", "small phone"])
def test_the_right_code_pays(
    open_browser: OpensBrowser, merchant: Merchant, language: str, width: int
) -> None:
    payment = merchant.create(description="Deux romans" if language == "fr" else "Two novels")
    payer = open_browser(language, width=width, height=812)
    payer.open(payment["checkout_url"])
    payer.pay(CHALLENGED_CARD)

    assert payer.heading == HANDED_OVER[language]
    assert fits_the_window(payer)
    assert merchant.payment(payment["id"])["status"] == "requires_action"

    go_on(payer)

    assert payer.heading == AT_THE_BANK[language]
    assert "0075" in payer.text
    assert "Store Manager" in payer.text
    assert fits_the_window(payer)

    type_code(payer, CODE)
    assert fits_the_window(payer)
    go_on(payer)

    assert payer.heading == PAID[language]
    assert payer.driver.current_url.startswith(f"{merchant.gateway_url}/checkout/3ds/")
    assert payer.driver.find_element(By.LINK_TEXT, way_back(payer)).get_attribute("href") == BACK
    assert fits_the_window(payer)
    paid = merchant.payment(payment["id"])
    assert (paid["status"], paid["three_ds"]["liability"]) == ("completed", "issuer")
    assert payer.complaints() == []


def test_a_lab_payment_comes_back_paid(
    open_browser: OpensBrowser, new_payment: NewPayment, is_paid: IsPaid
) -> None:
    link = new_payment()
    payer = open_browser("fr")
    go_to_the_bank(payer, link, "fr")
    type_code(payer, CODE)
    go_on(payer)

    assert payer.heading == PAID["fr"]
    assert is_paid(link)

    payer.open(link)

    assert payer.heading == "Déjà payé"
    assert payer.complaints() == []


def test_a_bank_that_knows_its_cardholder_asks_nothing(
    open_browser: OpensBrowser, merchant: Merchant
) -> None:
    payment = merchant.create()
    payer = open_browser("en")
    payer.open(payment["checkout_url"])
    payer.pay(FRICTIONLESS_CARD)

    assert payer.heading == PAID["en"]
    assert merchant.payment(payment["id"])["three_ds"]["status"] == "authenticated"


def test_a_wrong_code_may_be_corrected(open_browser: OpensBrowser, merchant: Merchant) -> None:
    payment = merchant.create()
    payer = open_browser("en")
    go_to_the_bank(payer, payment["checkout_url"])
    type_code(payer, WRONG_CODE)

    assert payer.heading == AT_THE_BANK["en"]
    assert payer.driver.title.startswith("Error")
    assert "two tries left" in payer.text
    assert payer.field("code").get_attribute("aria-invalid") == "true"
    assert payer.field("code").get_attribute("value") == ""

    type_code(payer, CODE)
    go_on(payer)

    assert payer.heading == PAID["en"]


def test_three_wrong_codes_are_a_decline_and_another_card_follows(
    open_browser: OpensBrowser, merchant: Merchant
) -> None:
    payment = merchant.create()
    payer = open_browser("fr", width=375, height=812)
    go_to_the_bank(payer, payment["checkout_url"], "fr")
    for _ in range(3):
        type_code(payer, WRONG_CODE)

    assert payer.heading == "Identité non confirmée"

    go_on(payer)

    assert payer.heading == "Paiement refusé"
    assert "s’assurer que c’était bien vous" in payer.text  # noqa: RUF001 - as it is printed
    assert payer.driver.find_elements(By.NAME, "cardNumber") == []

    go_on(payer)
    assert payer.driver.current_url == payment["checkout_url"]
    payer.pay(GOOD_CARD)

    assert payer.heading == PAID["fr"]
    assert merchant.payment(payment["id"])["status"] == "completed"


def test_who_cancels_at_the_bank_has_paid_nothing(open_browser: OpensBrowser, merchant: Merchant) -> None:
    payment = merchant.create()
    payer = open_browser("en")
    go_to_the_bank(payer, payment["checkout_url"])
    payer.leave_page_by(payer.driver.find_element(By.NAME, "action").click)
    go_on(payer)

    assert payer.heading == "Payment declined"
    seen = merchant.payment(payment["id"])
    assert (seen["status"], seen["amount_captured"]) == ("failed", 0)
    assert seen["last_error"]["decline_code"] == "authentication_failed"


def test_another_card_instead_of_the_challenge(open_browser: OpensBrowser, merchant: Merchant) -> None:
    payment = merchant.create()
    payer, left_open = open_browser("en"), open_browser("en")
    go_to_the_bank(left_open, payment["checkout_url"])
    payer.open(payment["checkout_url"])

    assert payer.heading == HANDED_OVER["en"]

    use_another_card(payer)

    assert payer.heading == "Pay for your order"
    payer.pay(GOOD_CARD)
    assert payer.heading == PAID["en"]

    # The challenge that was given up takes no money any more, whatever code is typed there.
    type_code(left_open, CODE)
    assert left_open.heading == "This request is no longer valid"
    go_on(left_open)
    assert left_open.heading == "Already paid"
    assert merchant.payment(payment["id"])["amount_captured"] == payment["amount"]


def test_who_comes_back_too_early_can_go_on_or_use_another_card(
    open_browser: OpensBrowser, merchant: Merchant, return_link: Callable[[str], str]
) -> None:
    payment = merchant.create()
    payer = open_browser("en")
    go_to_the_bank(payer, payment["checkout_url"])
    payer.open(return_link(payment["id"]))

    assert payer.heading == HANDED_OVER["en"]

    use_another_card(payer)

    assert payer.heading == "Pay for your order"
    assert payer.driver.current_url == payment["checkout_url"]
    payer.pay(GOOD_CARD)
    assert payer.heading == PAID["en"]
    assert payer.complaints() == []


def test_without_script(open_browser: OpensBrowser, merchant: Merchant) -> None:
    payment = merchant.create()
    payer = open_browser("en")
    payer.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    payer.open(payment["checkout_url"])
    payer.fill(CHALLENGED_CARD)
    payer.submit_button.click()
    payer.wait_until(lambda: payer.heading == HANDED_OVER["en"])
    payer.driver.find_element(By.CSS_SELECTOR, "a.button").click()
    payer.wait_until(lambda: payer.heading == AT_THE_BANK["en"])
    payer.field("code").send_keys(CODE)
    payer.submit_button.click()
    payer.wait_until(lambda: payer.heading == "Identity confirmed")
    payer.driver.find_element(By.CSS_SELECTOR, "a.button").click()
    payer.wait_until(lambda: payer.heading == PAID["en"])

    assert merchant.payment(payment["id"])["status"] == "completed"


def test_with_the_keyboard_only(open_browser: OpensBrowser, merchant: Merchant) -> None:
    payment = merchant.create()
    payer = open_browser("en")
    payer.open(payment["checkout_url"])
    press(payer, Keys.TAB, CHALLENGED_CARD, Keys.TAB, "0130", Keys.TAB, "123", Keys.TAB)
    payer.leave_page_by(lambda: press(payer, Keys.TAB, Keys.ENTER))

    assert payer.heading == HANDED_OVER["en"]
    assert payer.focused.get_attribute("role") == "alert"

    payer.leave_page_by(lambda: press(payer, Keys.TAB, Keys.ENTER))

    assert payer.heading == AT_THE_BANK["en"]
    assert payer.focused.get_attribute("name") == "code"
    assert payer.focused.accessible_name == "One-time code"

    payer.leave_page_by(lambda: press(payer, CODE, Keys.ENTER))
    payer.leave_page_by(lambda: press(payer, Keys.TAB, Keys.ENTER))

    assert payer.heading == PAID["en"]
    press(payer, Keys.TAB)
    assert payer.focused.get_attribute("href") == BACK


def test_a_hold_is_told_as_one(open_browser: OpensBrowser, merchant: Merchant) -> None:
    payment = merchant.create(capture_method="manual")
    payer = open_browser("fr")
    go_to_the_bank(payer, payment["checkout_url"], "fr")
    type_code(payer, CODE)
    go_on(payer)

    assert payer.heading == "Paiement autorisé"
    assert "Montant réservé" in payer.text
    assert merchant.payment(payment["id"])["amount_capturable"] == payment["amount"]


def way_back(payer: Payer) -> str:
    """Return the text of the last link, which leads to the merchant."""
    return payer.driver.find_elements(By.CSS_SELECTOR, "a.button")[-1].text


def press(payer: Payer, *keys: str) -> None:
    ActionChains(payer.driver).send_keys(*keys).perform()
