"""Payments of /v1: create, confirm, read, list, review."""

import json
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from payment_service.app import create_app
from payment_service.controllers.request import EXTENSION
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.settlement.settle import settle
from payment_service.models.card import PaymentMethod, SealedCard
from payment_service.models.movement import Capture
from payment_service.models.payment import Payment
from payment_service.providers.port import (
    Authentication,
    Outcome,
    ProviderCharge,
    ProviderResult,
    ThreeDSecure,
)
from payment_service.values.statuses import FraudDecision
from service_kit.clock import utc_now
from service_kit.process.config import Profile

from tests.testkit.payments.access import A_PAYMENT, Shop, open_shop
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.scripted.bank import ScriptedBank
from tests.testkit.payments.scripted.sales import (
    be_full,
    decline,
    lose_answer,
    lose_request,
    refuse_connection,
)
from tests.testkit.payments.world import World

ACS_URL = "http://127.0.0.1:5012/acs/abc"


@pytest.fixture
def shop(world: World) -> Shop:
    return open_shop(world)


def challenge(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
    return bank.remember(request.attempt_id, ProviderResult(Outcome.REQUIRES_ACTION, redirect_url=ACS_URL))


def stored(world: World, answer: Answer) -> Payment:
    body = answer.json.get("payment", answer.json)
    (payment,) = world.all(Payment, public_id=body["id"])
    return payment


def test_a_new_payment_can_be_read_and_nobody_was_called(world: World, shop: Shop) -> None:
    given = {
        "customer": {
            "id": "c-1",
            "name": "Amina",
            "email": "amina@shop.example",
            "phone": "+212600000000",
            "locale": "fr",
        },
        "line_items": [
            {"name": "Livre", "quantity": 2, "unit_amount": 8000, "tax_amount": 3999, "tax_rate": "20"}
        ],
        "metadata": {"basket": "7"},
        "description": "Two books",
        "return_url": "https://shop.example/back",
    }

    answer = shop.create(world, **given)

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/payments/{answer.json['id']}"
    shown = answer.json
    assert shown["id"].startswith("pay_")
    assert {name: shown[name] for name in given} == given
    expected = {
        "object": "payment",
        "status": "pending",
        "amount": 19999,
        "currency": "MAD",
        "capture_method": "automatic",
        "amount_capturable": 0,
        "amount_captured": 0,
        "amount_refunded": 0,
        "payment_method": None,
        "next_action": None,
        "last_error": None,
        "order_id": "order-7",
        "paid_at": None,
    }
    assert {name: shown[name] for name in expected} == expected
    token = stored(world, answer).checkout_token
    assert shown["checkout_url"] == f"{world.config.public_base_url}/checkout/{token}"
    assert shop.get(world, answer.headers["Location"]).json == shown
    assert world.bank.sales == []


def test_an_order_that_was_not_named_is_null(world: World, shop: Shop) -> None:
    answer = shop.post(world, "/v1/payments", {"amount": 100, "currency": "MAD"})

    assert answer.json["order_id"] is None


def test_a_payment_is_paid_in_the_request_that_creates_it(world: World, shop: Shop) -> None:
    answer = shop.pay(world)

    assert (answer.status_code, answer.json["status"]) == (201, "completed")
    assert (answer.json["amount_captured"], answer.json["checkout_url"]) == (19999, None)
    assert answer.json["payment_method"] == {
        "id": None,
        "type": "card",
        "card": {"bin": "424242", "last4": "4242"},
    }
    (sale,) = world.bank.sales
    assert (sale.amount.amount_minor, sale.card.cvv, sale.order_id) == (19999, "907", "order-7")
    assert [capture.amount_minor for capture in world.all(Capture)] == [19999]


def test_an_authorisation_holds_the_money(world: World, shop: Shop) -> None:
    answer = shop.pay(world, capture_method="manual")

    assert (answer.status_code, answer.json["status"]) == (201, "authorized")
    assert (answer.json["amount_capturable"], answer.json["amount_captured"]) == (19999, 0)
    assert list(world.bank.held_minor.values()) == [19999]
    assert world.all(Capture) == []


def test_an_unconfirmed_payment_is_confirmed_with_a_card(world: World, shop: Shop) -> None:
    payment = shop.create(world).json

    answer = shop.post(world, f"/v1/payments/{payment['id']}/confirm", {"card": dict(V1_CARD)})

    assert (answer.status_code, answer.json["status"]) == (200, "completed")
    again = shop.post(world, f"/v1/payments/{payment['id']}/confirm", {"card": dict(V1_CARD)})
    assert (again.status_code, again.json["code"]) == (409, "wrong_payment_state")
    assert len(world.bank.sales) == 1


def test_a_stored_card_pays_without_its_cvc(world: World, shop: Shop) -> None:
    card = {name: value for name, value in V1_CARD.items() if name != "cvc"}
    method = shop.post(world, "/v1/payment-methods", {"card": card}).json["id"]

    answer = shop.create(world, confirm=True, payment_method=method)

    assert (answer.status_code, answer.json["payment_method"]["id"]) == (201, method)
    (sale,) = world.bank.sales
    assert (sale.card.pan, sale.card.cvv) == (V1_CARD["number"], None)
    shop.post(world, f"/v1/payment-methods/{method}/detach")
    detached = shop.create(world, confirm=True, payment_method=method)
    assert detached.status_code == 422
    assert len(world.all(Payment, order_id="order-7")) == 1


@pytest.mark.parametrize("with_confirm", [False, True])
@pytest.mark.parametrize(
    ("of_card", "of_payment", "status", "shown"),
    [
        ("zoe", "zoe", (200, 201), "zoe"),
        ("zoe", None, (200, 201), "zoe"),
        (None, "zoe", (200, 201), "zoe"),
        ("zoe", "ali", (422,), "ali"),
        ("zoe", "Zoe", (422,), "Zoe"),
    ],
)
def test_a_stored_card_pays_for_its_customer_only(
    world: World,
    shop: Shop,
    with_confirm: bool,
    of_card: str | None,
    of_payment: str | None,
    status: tuple[int, ...],
    shown: str,
) -> None:
    body = {"card": V1_CARD, **({"customer": {"id": of_card}} if of_card else {})}
    method = shop.post(world, "/v1/payment-methods", body).json["id"]
    customer = {"id": of_payment} if of_payment else {}

    if with_confirm:
        answer = shop.create(world, customer=customer, confirm=True, payment_method=method)
    else:
        payment = shop.create(world, customer=customer).json["id"]
        answer = shop.post(world, f"/v1/payments/{payment}/confirm", {"payment_method": method})

    assert answer.status_code in status, answer.text
    payments = world.all(Payment, merchant_id=world.all(PaymentMethod)[-1].merchant_id)
    if answer.status_code == 422:
        assert answer.json["code"] == "payment_method_of_another_customer"
        assert world.bank.sales == []
        assert [(payment.user_id, payment.status) for payment in payments] == (
            [] if with_confirm else [(shown, "pending")]
        )
    else:
        assert [payment.user_id for payment in payments] == [shown]
        assert answer.json["customer"]["id"] == shown


@pytest.mark.parametrize("path", ["/v1/payments", "/v1/payments/{}/confirm"])
def test_a_repeat_is_answered_although_its_stored_card_was_detached_since(
    world: World, shop: Shop, path: str
) -> None:
    method = shop.post(world, "/v1/payment-methods", {"card": dict(V1_CARD)}).json["id"]
    body: dict[str, Any] = {"payment_method": method}
    if path == "/v1/payments":
        body |= {**A_PAYMENT, "confirm": True}
    path = path.format(shop.create(world).json["id"])
    first = shop.post(world, path, body, key="pay-once")
    shop.post(world, f"/v1/payment-methods/{method}/detach")

    repeat = shop.post(world, path, body, key="pay-once")

    assert (repeat.status_code, repeat.text) == (first.status_code, first.text)
    assert repeat.headers["Idempotent-Replayed"] == "true"
    assert shop.post(world, path, body, key="another").json["code"] == "payment_method_unusable"
    assert len(world.bank.sales) == 1


@pytest.mark.parametrize(
    ("behaviour", "status", "code", "payment_status"),
    [
        (decline("lost_card"), 402, "payment_declined", "failed"),
        (refuse_connection, 502, "charge_not_sent", "pending"),
        (be_full, 502, "charge_not_sent", "pending"),
    ],
)
def test_what_took_nothing_is_a_problem_with_the_payment_and_another_card_may_follow(
    world: World, shop: Shop, behaviour: Any, status: int, code: str, payment_status: str
) -> None:
    world.bank.script = [behaviour]

    answer = shop.pay(world)

    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    assert answer.json["payment"]["status"] == payment_status
    assert answer.json["payment"]["last_error"]["code"] == code
    path = f"/v1/payments/{answer.json['payment']['id']}/confirm"
    assert shop.post(world, path, {"card": dict(V1_CARD)}).json["status"] == "completed"


def test_our_own_refusal_is_no_decline_of_the_bank(world: World, shop: Shop) -> None:
    world.fraud.script = [FraudDecision.DECLINE]

    answer = shop.pay(world)

    assert (answer.status_code, answer.json["code"]) == (422, "payment_refused")
    assert answer.json["decline_code"] == "fraudulent"
    assert answer.json["payment"]["status"] == "failed"
    assert world.bank.sales == []


TOO_OFTEN = "more than 10 attempts with this card within 600 s"


@pytest.mark.parametrize(("profile", "is_told"), [(Profile.LAB, True), (Profile.PRODUCTION, False)])
def test_why_our_checks_refused_it_is_told_to_testers_and_to_no_fraudster(
    world: World, shop: Shop, profile: Profile, is_told: bool
) -> None:
    world.fraud.reasons = [{"rule": "velocity_card", "detail": TOO_OFTEN}]
    world.fraud.script = [FraudDecision.DECLINE]
    config = replace(world.config, profile=profile)
    world.app.extensions[EXTENSION] = replace(world.dependencies, config=config)

    answer = shop.pay(world)

    assert "The payment's events say why." in answer.json["detail"]
    assert (TOO_OFTEN in answer.json["detail"]) is is_told
    payment = answer.json["payment"]["id"]
    told = shop.get(world, f"/v1/payments/{payment}/events").json["data"]
    assert TOO_OFTEN in [entry["why"] for entry in told]


@pytest.mark.parametrize("behaviour", [lose_answer, lose_request])
def test_an_unknown_outcome_is_accepted_and_the_janitor_finds_it_out(
    world: World, shop: Shop, behaviour: Any
) -> None:
    world.bank.script = [behaviour]
    world.bank.is_away = True

    answer = shop.pay(world)

    assert (answer.status_code, answer.json["status"]) == (202, "processing")
    assert int(answer.headers["Retry-After"]) > 0
    world.bank.is_away = False
    world.outlast_senders()
    while world.run_janitor():
        pass
    status = shop.get(world, f"/v1/payments/{answer.json['id']}").json["status"]
    assert (status, world.bank.total_minor) in [("completed", 19999), ("pending", 0)]


def test_a_challenge_waits_for_the_cardholder_until_the_bank_says_so(world: World, shop: Shop) -> None:
    world.bank.script = [challenge]

    answer = shop.pay(world)

    assert (answer.status_code, answer.json["status"]) == (202, "requires_action")
    assert answer.json["next_action"] == {
        "type": "redirect_to_url",
        "redirect_to_url": {"url": ACS_URL},
    }
    (attempt,) = world.attempts(stored(world, answer).id)
    world.bank.settle(
        attempt.public_id,
        ProviderResult(
            Outcome.APPROVED,
            authorization_code="A00001",
            authentication=Authentication("authenticated", "05", "issuer"),
        ),
    )
    world.age(10)
    assert world.run_janitor() == 1
    shown = shop.get(world, f"/v1/payments/{answer.json['id']}").json
    assert (shown["status"], shown["next_action"]) == ("completed", None)
    assert shown["three_ds"] == {"status": "authenticated", "eci": "05", "liability": "issuer"}


def test_another_card_ends_the_challenge_first(world: World, shop: Shop) -> None:
    world.bank.script = [challenge]
    payment = shop.pay(world).json
    path = f"/v1/payments/{payment['id']}/confirm"
    world.bank.end_challenges()

    answer = shop.post(world, path, {"card": {**V1_CARD, "number": "4000100000000018"}})

    assert (answer.status_code, answer.json["status"]) == (200, "completed")
    first, second = world.attempts(stored(world, answer).id)
    assert (first.state, second.state) == ("abandoned", "approved")
    assert world.bank.abandoned == [first.public_id]
    assert world.bank.total_minor == 19999


def test_a_challenge_that_was_finished_meanwhile_is_not_charged_again(world: World, shop: Shop) -> None:
    world.bank.script = [challenge]
    payment = shop.pay(world).json
    (attempt,) = world.attempts(stored(world, shop.get(world, f"/v1/payments/{payment['id']}")).id)
    world.bank.settle(attempt.public_id, ProviderResult(Outcome.APPROVED, authorization_code="A00001"))

    answer = shop.post(world, f"/v1/payments/{payment['id']}/confirm", {"card": dict(V1_CARD)})

    assert (answer.status_code, answer.json["payment_status"]) == (409, "completed")
    assert len(world.bank.sales) == 1


def test_a_review_keeps_the_card_until_somebody_approves(world: World, shop: Shop) -> None:
    world.fraud.script = [FraudDecision.REVIEW]
    payment = shop.pay(world)
    assert (payment.status_code, payment.json["status"]) == (202, "in_review")
    assert (world.bank.sales, len(world.all(SealedCard))) == ([], 1)
    path = f"/v1/payments/{payment.json['id']}/approve"

    answer = shop.post(world, path, {"reason": "known customer"})

    assert (answer.status_code, answer.json["status"]) == (200, "completed")
    (sale,) = world.bank.sales
    assert (sale.card.pan, sale.card.cvv) == (V1_CARD["number"], None)
    assert sale.three_ds is ThreeDSecure.NONE
    assert world.all(SealedCard) == []
    second = shop.post(world, path, {"reason": "me too"})
    assert (second.status_code, second.json["payment_status"]) == (409, "completed")
    assert "payment.review_approved" in world.events(stored(world, answer).id)


def test_a_rejected_review_is_cancelled_and_its_card_forgotten(world: World, shop: Shop) -> None:
    world.fraud.script = [None]
    payment = shop.pay(world, amount=399998).json
    assert payment["status"] == "in_review"

    answer = shop.post(world, f"/v1/payments/{payment['id']}/reject", {"reason": "stolen"})

    assert (answer.status_code, answer.json["status"], answer.json["last_error"]) == (200, "cancelled", None)
    assert (world.all(SealedCard), world.bank.sales) == ([], [])
    assert world.events(stored(world, answer).id)[-1] == "payment.review_rejected"
    assert world.attempt(stored(world, answer).id).state == "not_sent"


def test_an_approved_payment_that_could_not_be_sent_is_payable_again(world: World, shop: Shop) -> None:
    world.fraud.script = [FraudDecision.REVIEW]
    payment = shop.pay(world).json
    world.bank.script = [refuse_connection]

    answer = shop.post(world, f"/v1/payments/{payment['id']}/approve", {"reason": "known"})

    shown = answer.json["payment"]
    assert (answer.status_code, shown["status"]) == (502, "pending")
    assert shown["last_error"]["code"] == "charge_not_sent"
    assert world.all(SealedCard) == []


@pytest.mark.parametrize(("email", "letters"), [("amina@shop.example", 1), (None, 0)])
def test_only_a_customer_with_an_address_is_told_that_money_goes_back(
    world: World, shop: Shop, email: str | None, letters: int
) -> None:
    world.bank.script = [lose_request]
    payment = shop.pay(world, customer={"email": email} if email else {}).json
    (attempt,) = world.attempts(world.payment_by(payment["id"]).id)
    shop.post(world, f"/v1/payments/{payment['id']}/cancel")
    world.outlast_senders()
    world.run_janitor()
    late = ProviderResult(Outcome.APPROVED)
    reference, policy = MovementReference.of(attempt), world.dependencies.policy
    world.change(lambda session: settle(session, policy, reference, late, utc_now(), actor="janitor"))

    world.run_janitor()

    assert world.events(attempt.payment_id)[-1] == "payment.reversed"
    assert [told["type"] for told in world.told_to_payers()] == ["payment_reversed"] * letters


def test_fraud_service_counts_no_two_unnamed_customers_together_and_no_server_as_a_payer(
    world: World, shop: Shop
) -> None:
    """It takes no empty names, and the address is the merchant's own, for all of its customers."""
    config = replace(world.config, trusted_proxies=(ip_network("10.0.0.0/8"),))
    app = create_app(config, provider=world.bank, fraud=world.fraud, waker=world.waker)
    behind_gateway = World(app, config, world.bank, world.fraud, world.waker)

    unnamed = {"amount": 100, "currency": "MAD", "confirm": True, "card": dict(V1_CARD)}

    ids = [shop.post(behind_gateway, "/v1/payments", unnamed).json["id"] for _ in range(2)]
    named = shop.pay(behind_gateway, order_id="17", customer={"id": "c-1"})

    assert named.status_code == 201
    asked = [(each.user_id, each.order_id, each.client_ip) for each in world.fraud.requests]
    assert asked == [(ids[0], ids[0], None), (ids[1], ids[1], None), ("c-1", "17", None)]


@pytest.mark.parametrize(
    ("locale", "language"), [("en-GB", "en"), ("fr", "fr"), ("ar-MA", "fr"), (None, "fr")]
)
def test_a_receipt_has_what_notification_service_asks_for(
    world: World, shop: Shop, locale: str | None, language: str
) -> None:
    """It writes French and English, and takes no empty names."""
    customer = {"email": "amina@shop.example"} | ({"locale": locale} if locale else {})
    body = {"amount": 100, "currency": "MAD", "confirm": True, "card": dict(V1_CARD), "customer": customer}

    payment = shop.post(world, "/v1/payments", body).json

    (receipt,) = world.told_to_payers()
    assert (receipt["locale"], receipt["recipient"]["user_id"]) == (language, None)
    assert receipt["order_id"] == payment["id"]


def test_words_of_every_alphabet_are_kept_whole(world: World, shop: Shop) -> None:
    metadata = {f"k{number}": "é" * 500 for number in range(50)}
    body = json.dumps({**A_PAYMENT, "metadata": metadata}, ensure_ascii=False).encode()
    headers = {**shop.bearer, "Idempotency-Key": "k", "Content-Type": "application/json"}

    answer = world.client.post("/v1/payments", data=body, headers=headers)

    assert answer.status_code == 201
    assert shop.get(world, f"/v1/payments/{answer.json['id']}").json["metadata"] == metadata


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A17", "a17"),
        ("A17", "Á17"),
        ("A17", "A17é"),
        ("A17", "A17 "),
        ("A%_|\\", "A17"),
        ("A%_|\\", "A%_|\\ "),
    ],
)
def test_orders_and_customers_are_told_apart_letter_by_letter(
    world: World, shop: Shop, one: str, other: str
) -> None:
    created = {
        name: shop.create(world, order_id=name, customer={"id": name}).json["id"] for name in (one, other)
    }
    for name in created:
        shop.post(world, "/v1/payment-methods", {"card": V1_CARD, "customer": {"id": name}})

    for name, payment_id in created.items():
        for query in ({"order_id": name}, {"customer": name}):
            listed = shop.get(world, "/v1/payments", **query).json["data"]
            assert [each["id"] for each in listed] == [payment_id]
        methods = shop.get(world, "/v1/payment-methods", customer=name).json["data"]
        assert [each["customer"]["id"] for each in methods] == [name]


def test_a_status_that_is_only_shown_is_refused_with_where_to_look(world: World, shop: Shop) -> None:
    answer = shop.get(world, "/v1/payments", status="refunded")

    assert answer.status_code == 400
    assert "find them by /v1/refunds and /v1/disputes" in answer.json["errors"]["status"][0]


def test_the_list_is_newest_first_and_limited_by_filters(world: World, shop: Shop) -> None:
    first = shop.create(world, order_id="a", amount=100, customer={"id": "c1"}).json
    second = shop.create(world, order_id="b", amount=200, customer={"id": "c2"}).json
    third = shop.pay(world, order_id="a", amount=300).json
    open_shop(world, "Theirs").create(world, order_id="a")

    def ids(**query: Any) -> list[str]:
        answer = shop.get(world, "/v1/payments", **query)
        assert answer.status_code == 200
        return [each["id"] for each in answer.json["data"]]

    assert ids() == [third["id"], second["id"], first["id"]]
    assert ids(order_id="a") == [third["id"], first["id"]]
    assert ids(status="pending") == [second["id"], first["id"]]
    assert ids(customer="c2") == [second["id"]]
    assert ids(amount_from=200, amount_to=200) == [second["id"]]
    assert ids(created_from=second["created_at"]) == [third["id"], second["id"]]
    assert ids(created_to=second["created_at"]) == [first["id"]]
    assert ids(older_than=600) == []
    assert ids(limit=1, starting_after=third["id"]) == [second["id"]]
    page = shop.get(world, "/v1/payments", limit=2).json
    assert (page["object"], page["url"], page["has_more"]) == ("list", "/v1/payments", True)
    assert page["data"][0]["payment_method"]["card"]["last4"] == "4242"


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 19999.5}, "amount"),
        ({"amount": "19999"}, "amount"),
        ({"amount": 10**12}, "amount"),
        ({"currency": "mad"}, "currency"),
        ({"currency": "XXQ"}, "currency"),
        ({"capture_method": "later"}, "capture_method"),
        ({"confirm": True}, "confirm"),
        ({"confirm": "yes", "card": dict(V1_CARD)}, "confirm"),
        ({"card": dict(V1_CARD)}, "confirm"),
        ({"confirm": True, "card": dict(V1_CARD), "payment_method": "pm_1"}, "payment_method"),
        ({"metadata": {str(number): "x" for number in range(51)}}, "metadata"),
        ({"metadata": {"k" * 41: "x"}}, "metadata.k"),
        ({"metadata": {"k": "x" * 501}}, "metadata.k"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
        ({"customer": {"email": "nobody"}}, "customer.email"),
        ({"customer": {"phone": "0600"}}, "customer.phone"),
        ({"line_items": [{"name": "x", "quantity": 0, "unit_amount": 1}]}, "line_items.0.quantity"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_input_is_named_by_its_field(
    world: World, shop: Shop, changes: dict[str, Any], field: str
) -> None:
    answer = shop.create(world, **changes)

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_input")
    assert any(name.startswith(field) for name in answer.json["errors"]), answer.json["errors"]
    assert world.all(Payment, order_id="order-7") == []


def test_what_is_wrong_with_a_card_never_repeats_it(world: World, shop: Shop) -> None:
    answer = shop.pay(world, card={**V1_CARD, "number": "4242424242424241"})

    assert answer.status_code == 400
    assert "4242424242424241" not in answer.text
    assert "907" not in answer.text


def test_a_receipt_goes_to_a_customer_with_an_address_and_the_shop_of_the_lab_hears_nothing(
    world: World, shop: Shop
) -> None:
    shop.pay(world)
    with_address = shop.pay(world, customer={"email": "amina@shop.example"}).json

    assert world.messages() == []
    (receipt,) = world.told_to_payers()
    assert receipt["payment_id"] == with_address["id"]
