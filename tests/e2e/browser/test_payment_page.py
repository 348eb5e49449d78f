"""A person pays: the link of the shop, opened in a real browser through the gateway.

The numbers are test cards of the bank-simulator (`bank-simulator cards`).
"""

from collections.abc import Callable

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from .conftest import OpensBrowser, Payer, RunningSystem

pytestmark = pytest.mark.deep

LAB_CARD = "9999999999999"
GOOD_CARD = "4242 4242 4242 4242"
EMPTY_CARD = "4000100000000034"
STOLEN_CARD = "4000100000000059"
SLOW_CARD = "4000200000000032"

IsPaid = Callable[[str], bool]
NewPayment = Callable[..., str]


def press(payer: Payer, *keys: str) -> None:
    ActionChains(payer.driver).send_keys(*keys).perform()


def test_a_payment_by_keyboard_alone(
    open_browser: OpensBrowser, new_payment: NewPayment, is_paid: IsPaid
) -> None:
    link = new_payment("3999.98")
    payer = open_browser("fr")
    payer.open(link)

    assert payer.heading == "Payer votre commande"
    assert "3\u202f999,98 MAD" in payer.text

    press(payer, Keys.TAB, LAB_CARD, Keys.TAB, "0130", Keys.TAB, "123", Keys.TAB, "nadia@exemple.ma")
    payer.leave_page_by(lambda: press(payer, Keys.TAB, Keys.ENTER))

    assert payer.heading == "Paiement reçu"
    assert payer.status == 200
    assert "nadia@exemple.ma" in payer.text
    assert "se terminant par 9999" in payer.text
    assert payer.driver.current_url == link
    assert is_paid(link)
    assert payer.complaints() == []


def test_a_paid_link_opened_again_shows_the_receipt_but_not_the_address(
    open_browser: OpensBrowser, new_payment: NewPayment
) -> None:
    link = new_payment()
    payer = open_browser("fr")
    payer.open(link)
    payer.pay(LAB_CARD, email="nadia@exemple.ma")
    payer.open(link)

    assert payer.heading == "Déjà payé"
    assert payer.driver.find_elements(By.TAG_NAME, "form") == []
    assert "nadia" not in payer.driver.page_source


def test_a_declined_card_then_another(
    open_browser: OpensBrowser, new_payment: NewPayment, is_paid: IsPaid
) -> None:
    link = new_payment()
    payer = open_browser("en")
    payer.open(link)
    payer.pay(EMPTY_CARD)

    assert payer.heading == "Payment declined"
    assert payer.status == 402
    assert payer.focused.get_attribute("role") == "alert"
    assert "balance or the limit" in payer.focused.text
    assert payer.field("cardNumber").get_attribute("value") == ""
    assert payer.field("cardCode").get_attribute("value") == ""
    assert not is_paid(link)

    payer.pay(GOOD_CARD)

    assert payer.heading == "Payment received"
    assert is_paid(link)


def test_a_stolen_card_is_declined_without_saying_why(
    open_browser: OpensBrowser, new_payment: NewPayment
) -> None:
    payer = open_browser("en")
    payer.open(new_payment())
    payer.pay(STOLEN_CARD)

    assert payer.heading == "Payment declined"
    assert "stolen" not in payer.driver.page_source


def test_reloading_the_result_repeats_it(
    open_browser: OpensBrowser, new_payment: NewPayment, is_paid: IsPaid
) -> None:
    link = new_payment()
    payer = open_browser("en")
    payer.open(link)
    payer.pay(EMPTY_CARD)
    payer.leave_page_by(payer.driver.refresh)

    assert payer.heading == "Payment declined"

    payer.pay(GOOD_CARD)
    receipt = payer.driver.find_element(By.TAG_NAME, "dl").text
    payer.leave_page_by(payer.driver.refresh)

    assert payer.status == 200
    assert payer.driver.find_element(By.TAG_NAME, "dl").text == receipt
    assert is_paid(link)


def test_no_script_is_needed(open_browser: OpensBrowser, new_payment: NewPayment, is_paid: IsPaid) -> None:
    link = new_payment()
    payer = open_browser("en")
    payer.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    payer.open(link)
    payer.fill(LAB_CARD)
    payer.submit_button.click()
    payer.wait_until(lambda: payer.heading == "Payment received")

    assert is_paid(link)


def test_a_double_click_pays_once(
    open_browser: OpensBrowser, new_payment: NewPayment, is_paid: IsPaid
) -> None:
    link = new_payment()
    payer = open_browser("en")
    payer.open(link)
    payer.fill(LAB_CARD)
    payer.leave_page_by(ActionChains(payer.driver).double_click(payer.submit_button).perform)
    wait_for_heading(payer, "Payment received", "Already paid")

    assert is_paid(link)


def test_wrong_entries_are_named_where_they_are(
    open_browser: OpensBrowser, new_payment: NewPayment, is_paid: IsPaid
) -> None:
    link = new_payment()
    payer = open_browser("fr", width=375, height=812)
    payer.open(link)
    payer.pay("4242424242424241", expiry="01/20", email="nadia@exemple.ma")

    assert payer.status == 400
    assert payer.driver.title.startswith("Erreur")
    assert payer.focused.get_attribute("role") == "alert"
    assert [link.text for link in payer.focused.find_elements(By.TAG_NAME, "a")] == [
        "Ce numéro contient une faute de frappe : comparez-le avec votre carte.",
        "Cette carte a expiré : utilisez une autre carte.",
    ]
    assert payer.field("cardNumber").get_attribute("value") == ""
    assert payer.field("cardNumber").get_attribute("aria-invalid") == "true"
    assert payer.field("email").get_attribute("value") == "nadia@exemple.ma"

    payer.focused.find_element(By.TAG_NAME, "a").click()
    press(payer, LAB_CARD)

    assert payer.field("cardNumber").get_attribute("value") == LAB_CARD
    assert not is_paid(link)
    assert payer.complaints() == []


def test_a_second_window_waits_while_the_first_one_pays(
    open_browser: OpensBrowser, new_payment: NewPayment, is_paid: IsPaid
) -> None:
    link = new_payment()
    payer, second_window = open_browser("en"), open_browser("en")
    payer.open(link)
    payer.fill(SLOW_CARD)
    # By a timer, because a click of the driver would wait for the bank's slow answer.
    payer.run("setTimeout(button => button.click(), 100, arguments[0])", payer.submit_button)
    second_window.wait_until(lambda: is_shown_as_pending(second_window, link))

    assert second_window.driver.find_elements(By.TAG_NAME, "form") == []
    assert "Do not pay a second time" in second_window.text

    wait_for_heading(second_window, "Already paid")

    assert is_paid(link)


@pytest.mark.parametrize("dead_id", ["0", "None"])
def test_a_link_without_a_payment_is_explained(
    open_browser: OpensBrowser, running_system: RunningSystem, dead_id: str
) -> None:
    payer = open_browser("fr")
    payer.open(f"{running_system.gateway_url}/payments-api/payments/process/{dead_id}")

    assert payer.status == 404
    assert payer.heading == "Cette commande n’a pas encore de paiement"  # noqa: RUF001 - as it is printed
    assert payer.complaints() == []


def test_the_tab_key_goes_through_the_form_in_order(
    open_browser: OpensBrowser, new_payment: NewPayment
) -> None:
    payer = open_browser("en")
    payer.open(new_payment())
    visited = []
    for _ in range(5):
        press(payer, Keys.TAB)
        visited.append(payer.focused.get_attribute("name") or payer.focused.tag_name)

    assert visited == ["cardNumber", "expirationDate", "cardCode", "email", "button"]


def test_a_screen_reader_hears_what_each_field_is(
    open_browser: OpensBrowser, new_payment: NewPayment
) -> None:
    payer = open_browser("en")
    payer.open(new_payment())

    assert {
        name: payer.field(name).accessible_name for name in ("cardNumber", "expirationDate", "cardCode")
    } == {
        "cardNumber": "Card number",
        "expirationDate": "Expiry date",
        "cardCode": "Security code",
    }
    assert payer.field("email").accessible_name == "E-mail for the receipt (optional)"
    assert payer.submit_button.accessible_name == "Pay MAD\u00a0249.50"
    assert payer.driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"


@pytest.mark.parametrize("width", [320, 375])
def test_a_phone_shows_everything_without_sideways_scrolling(
    open_browser: OpensBrowser, new_payment: NewPayment, width: int
) -> None:
    payer = open_browser("fr", width=width, height=812)
    payer.open(new_payment("9999999999.99"))
    controls = [*(payer.field(name) for name in ("cardNumber", "expirationDate", "cardCode", "email"))]

    assert payer.run("return document.documentElement.scrollWidth") == width
    for control in (*controls, payer.submit_button):
        assert control.rect["height"] >= 44  # WCAG 2.5.5
    for control in controls:
        # Below 16 px a phone zooms into the field.
        assert float(control.value_of_css_property("font-size").removesuffix("px")) >= 16


def is_shown_as_pending(payer: Payer, link: str) -> bool:
    payer.open(link)
    return payer.heading in {"Payment in progress", "Waiting for the bank"}


def wait_for_heading(payer: Payer, *headings: str) -> None:
    """Look again, as the page asks for, until the result is there."""

    def is_there() -> bool:
        if payer.heading not in headings:
            payer.look_again()
        return payer.heading in headings

    payer.wait_until(is_there)
