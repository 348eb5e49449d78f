"""The payment page over HTTP: the same use case as the JSON, the same status codes, and safe to reload."""

import re
import threading
from collections.abc import Mapping

import pytest
from payment_service.models.payment import Payment
from payment_service.values.statuses import PaymentStatus
from sqlalchemy import update

from tests.testkit.payments.access import open_shop
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.scripted.bank import SaleBehaviour
from tests.testkit.payments.scripted.sales import be_full, decline, lose_request, refuse_connection
from tests.testkit.payments.world import World

FORM: Mapping[str, str] = {
    "cardNumber": "4242 4242 4242 4242",
    "expirationDate": "12/31",
    "cardCode": "9071",
    "email": "",
}


def submit(world: World, payment_id: object, form_key: str = "key-1", **changes: str) -> Answer:
    form = {**FORM, "form_key": form_key, **changes}
    return world.client.post(f"/payments/process/{payment_id}", data=form)


def show(world: World, payment_id: object, language: str = "en") -> Answer:
    return world.client.get(f"/payments/process/{payment_id}", headers={"Accept-Language": language})


def assert_page(response: Answer, status: int) -> None:
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "Location" not in response.headers
    assert response.text.startswith("<!DOCTYPE html>") or response.text.startswith("<!doctype html>")
    assert "<script" not in response.text
    assert not re.search(r'(?:href|action|src)="(?:https?:)?//', response.text)
    assert "4242424242424242" not in re.sub(r"[\s ]", "", response.text)
    assert "9071" not in response.text


def test_opening_the_page_changes_nothing(world: World) -> None:
    payment_id = world.create()
    before = world.events(payment_id)

    pages = [show(world, payment_id) for _ in range(3)]

    for page in pages:
        assert_page(page, 200)
        assert 'name="form_key"' in page.text
    assert len({re.findall(r'name="form_key"[^>]*value="([^"]+)"', page.text)[0] for page in pages}) == 3
    assert world.events(payment_id) == before
    assert not world.bank.sales


def test_a_form_pays(world: World) -> None:
    payment_id = world.create()

    response = submit(world, payment_id, email="payer@example.org")

    assert_page(response, 200)
    assert "4242" in response.text
    assert "payer@example.org" in response.text
    assert world.payment(payment_id).status == PaymentStatus.COMPLETED
    assert world.payment(payment_id).receipt_email == "payer@example.org"
    assert world.told_to_payers()[0]["recipient"]["email"] == "payer@example.org"


def test_the_receipt_speaks_the_payers_language(world: World) -> None:
    payment_id = world.create()
    world.client.post(
        f"/payments/process/{payment_id}",
        data={**FORM, "form_key": "k"},
        headers={"Accept-Language": "en-GB"},
    )

    assert world.told_to_payers()[0]["locale"] == "en"


def test_a_stranger_who_opens_a_paid_page_does_not_learn_the_address(world: World) -> None:
    payment_id = world.create()
    submit(world, payment_id, email="payer@example.org")

    assert_page(show(world, payment_id), 200)
    assert "payer@example.org" not in show(world, payment_id).text
    other = submit(world, payment_id, "another-key", email="other@example.org")
    assert "payer@example.org" not in other.text


def test_the_same_form_again_repeats_the_result_and_not_the_charge(world: World) -> None:
    payment_id = world.create()

    answers = [submit(world, payment_id, "same") for _ in range(3)]

    for answer in answers:
        assert_page(answer, 200)
    assert len(world.bank.sales) == 1
    assert world.bank.total_minor == 399998


def test_a_double_click_charges_once(world: World) -> None:
    payment_id = world.create()
    answers: list[Answer] = []
    start = threading.Barrier(4)

    def click() -> None:
        start.wait(timeout=60)
        answers.append(submit(world, payment_id, "same"))

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()

    assert len(world.bank.sales) == 1
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert 200 in {answer.status_code for answer in answers}
    assert len(world.attempts(payment_id)) == 1


def test_a_reload_of_a_decline_repeats_the_decline_and_does_not_try_again(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [decline("insufficient_funds")]

    declined, reloaded = submit(world, payment_id, "first"), submit(world, payment_id, "first")
    other_card = submit(world, payment_id, "second")

    assert_page(declined, 402)
    assert_page(reloaded, 402)
    assert 'name="form_key"' in declined.text
    assert_page(other_card, 200)
    assert len(world.bank.sales) == 2
    assert [attempt.state for attempt in world.attempts(payment_id)] == ["declined", "approved"]


def test_a_link_that_is_opened_again_after_a_decline_says_what_happened_last(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [decline("insufficient_funds")]
    submit(world, payment_id, "first")

    opened = world.client.get(f"/payments/process/{payment_id}", headers={"Accept-Language": "en"})
    shown = world.client.get(f"/payments/{payment_id}").json

    assert_page(opened, 200)
    assert "the balance or the limit" in opened.text
    assert 'name="form_key"' in opened.text
    assert (shown["status"], shown["decline_code"]) == ("failed", "insufficient_funds")
    assert "the balance or the limit" in shown["message"]


def test_a_link_that_is_opened_again_after_a_refund_says_how_much_was_given_back(world: World) -> None:
    shop = open_shop(world)
    payment = shop.create(world, amount=500).json
    shop.post(world, f"/v1/payments/{payment['id']}/confirm", {"card": dict(V1_CARD)})
    shop.post(world, "/v1/refunds", {"payment": payment["id"], "amount": 100})
    path = payment["checkout_url"].removeprefix(world.config.public_base_url)

    opened = world.client.get(path, headers={"Accept-Language": "en"})

    assert_page(opened, 200)
    assert "MAD\u00a01.00 of it was given back" in opened.text


def test_a_declined_form_that_is_sent_again_after_the_payment_shows_the_card_that_paid(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [decline("insufficient_funds")]
    submit(world, payment_id, "first", cardNumber="5555 5555 5555 4444")
    submit(world, payment_id, "second")

    reloaded = submit(world, payment_id, "first", cardNumber="5555 5555 5555 4444")

    assert_page(reloaded, 200)
    assert "4444" not in reloaded.text
    assert "4242" in reloaded.text


@pytest.mark.parametrize(("behaviour", "status"), [(refuse_connection, 502), (be_full, 503)])
def test_a_reload_of_a_form_that_was_not_sent_tries_nothing(
    world: World, behaviour: SaleBehaviour, status: int
) -> None:
    payment_id = world.create()
    world.bank.script = [behaviour]

    first, again = submit(world, payment_id, "first"), submit(world, payment_id, "first")

    assert_page(first, status)
    assert again.status_code in {502, 503}
    assert 'name="form_key"' in again.text
    assert len(world.bank.sales) == 1
    assert submit(world, payment_id, "second").status_code == 200


def test_an_unknown_outcome_asks_for_patience(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [lose_request]

    response = submit(world, payment_id)

    assert_page(response, 202)
    assert 'name="cardNumber"' not in response.text
    assert 'name="cardNumber"' not in show(world, payment_id).text


def test_a_payment_in_process_elsewhere_is_busy(world: World) -> None:
    payment_id = world.create()
    others: list[Answer] = []
    world.fraud.meanwhile = lambda: others.append(
        world.in_other_thread(lambda: submit(world, payment_id, "other"))
    )

    submit(world, payment_id, "one")

    assert_page(others[0], 409)
    assert len(world.bank.sales) == 1


@pytest.mark.parametrize("status", [PaymentStatus.EXPIRED, PaymentStatus.CANCELLED])
def test_a_closed_payment_says_so(world: World, status: PaymentStatus) -> None:
    payment_id = world.create()
    world.change(
        lambda session: session.execute(update(Payment).where(Payment.id == payment_id).values(status=status))
    )

    assert_page(show(world, payment_id), 200)
    assert_page(submit(world, payment_id), 409)
    assert 'name="cardNumber"' not in show(world, payment_id).text
    assert not world.bank.sales


def test_a_payment_that_waits_for_a_review_is_a_page_that_says_so(world: World) -> None:
    payment_id = world.create()
    world.fraud.script = [None]

    assert_page(submit(world, payment_id), 202)
    assert_page(show(world, payment_id), 200)
    assert world.payment(payment_id).status == PaymentStatus.IN_REVIEW


@pytest.mark.parametrize("payment_id", ["0", "None", "77", "-1", "9" * 40, "<script>", "%00"])
def test_a_link_to_nothing_is_explained(world: World, payment_id: str) -> None:
    assert_page(show(world, payment_id), 404)
    assert_page(submit(world, payment_id), 404)
    assert "<script>" not in show(world, payment_id).text


def test_a_form_with_mistakes_comes_back_with_them_and_tries_nothing(world: World) -> None:
    payment_id = world.create()

    response = submit(
        world, payment_id, cardNumber="4242 4242 4242 4241", expirationDate="10/26", email="payer@example.org"
    )

    assert_page(response, 400)
    assert response.text.count('aria-invalid="true"') == 2
    assert "payer@example.org" in response.text
    assert "4241" not in response.text
    assert world.attempts(payment_id) == []


def test_a_form_without_its_key_tries_nothing(world: World) -> None:
    payment_id = world.create()

    assert_page(submit(world, payment_id, ""), 400)
    assert not world.bank.sales


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_an_oversized_form_is_a_page_too(world: World, content_type: str) -> None:
    response = world.client.post(
        "/payments/process/1", data=b"a" * (64 * 1024 + 1), content_type=content_type
    )

    assert_page(response, 413)


def test_a_multipart_form_pays_too(world: World) -> None:
    payment_id = world.create()
    response = world.client.post(
        f"/payments/process/{payment_id}",
        data={**FORM, "form_key": "k"},
        content_type="multipart/form-data",
    )

    assert_page(response, 200)


def test_a_broken_multipart_form_is_refused(world: World) -> None:
    response = world.client.post(
        "/payments/process/1", data=b"--x\r\nbroken", content_type="multipart/form-data; boundary=x"
    )

    assert_page(response, 400)
    assert not world.bank.sales


@pytest.mark.parametrize(("asked", "given"), [("fr-MA,fr;q=0.9", "fr"), ("en-US", "en")])
def test_the_page_speaks_french_and_english(world: World, asked: str, given: str) -> None:
    page = show(world, world.create(), asked)

    assert page.headers["Content-Language"] == given
    assert f'lang="{given}"' in page.text
    assert "Accept-Language" in page.headers["Vary"]


def test_a_database_that_is_away_is_a_page_too(world: World) -> None:
    payment_id = world.create()

    with world.losing_database(after_units=0):
        response = submit(world, payment_id)

    assert_page(response, 503)
    assert world.payment(payment_id).status == PaymentStatus.PENDING


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("path", "accept", "is_page"),
    [
        ("/payments/process/{}", BROWSER, True),
        ("/payments/process/{}", "*/*", True),
        ("/payments/process/{}", None, True),
        ("/payments/process/{}", "application/json", False),
        ("/payments/{}", BROWSER, None),
        ("/payments/{}", "*/*", False),
        ("/payments/{}", None, False),
        ("/payments/{}", "application/json", False),
    ],
)
@pytest.mark.parametrize(("which", "status"), [("there", 200), ("0", 404), ("99999", 404), ("x", 404)])
def test_whoever_asks_gets_what_is_asked_for(
    world: World, path: str, accept: str | None, is_page: bool | None, which: str, status: int
) -> None:
    """None: what is not there is a page, and what is there is JSON."""
    is_page = status == 404 if is_page is None else is_page
    number = str(world.create()) if which == "there" else which
    headers = {} if accept is None else {"Accept": accept}

    answer = world.client.get(path.format(number), headers=headers)

    assert answer.status_code == status
    if is_page:
        assert answer.mimetype == "text/html"
    elif status == 200:
        assert (answer.mimetype, answer.json["id"]) == ("application/json", int(number))
    else:
        assert answer.mimetype == "application/problem+json"
        assert answer.json["error"]
