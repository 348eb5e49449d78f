"""POST /payments/process/{id}: every row of the lab's answer table, with what is stored behind it."""

from decimal import Decimal

import pytest
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.providers.port import ThreeDSecure
from payment_service.values.statuses import FraudDecision, PaymentStatus
from sqlalchemy import update

from tests.testkit.payments.cards import OTHER_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.scripted.sales import (
    be_full,
    decline,
    lose_answer,
    lose_request,
    refuse_connection,
)
from tests.testkit.payments.world import World


def assert_problem(response: Answer, status: int, code: str) -> None:
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.json["code"] == code
    assert response.json["error"] == response.json["detail"]
    assert response.json["is_paid"] is False


def test_an_approved_charge_is_paid(world: World) -> None:
    payment_id = world.create(3999.98, order_id=7, user_id=5)

    response = world.pay(payment_id)

    assert response.status_code == 200
    assert response.json == {
        "order_id": 7,
        "payment_id": payment_id,
        "is_paid": True,
        "status": "completed",
    }
    assert world.bank.total_minor == 399998
    payment = world.payment(payment_id)
    assert payment.status == PaymentStatus.COMPLETED
    assert payment.paid_at is not None
    attempt = world.attempt(payment_id)
    assert (attempt.state, attempt.card_bin, attempt.card_last4) == ("approved", "999999", "9999")
    assert attempt.authorization_code == "A00000"
    assert attempt.next_ask_at is None
    assert world.waker.calls == 1


def test_the_bank_and_fraud_service_are_told_the_same_attempt(world: World) -> None:
    payment_id = world.create(59.5, order_id=7, user_id=5)

    world.pay(payment_id)

    attempt = world.attempt(payment_id)
    (sale,) = world.bank.sales
    assert (sale.attempt_id, sale.amount.amount_minor, sale.amount.currency) == (
        attempt.public_id,
        5950,
        "MAD",
    )
    assert (sale.order_id, sale.card.pan, sale.card.cvv) == ("7", "9999999999999", "123")
    assert (sale.card.exp_month, sale.card.exp_year) == (1, 2030)
    (asked,) = world.fraud.requests
    assert (asked.attempt_id, asked.payment_id) == (attempt.public_id, world.payment(payment_id).public_id)
    assert (asked.order_id, asked.user_id, asked.card_bin, asked.card_last4) == ("7", "5", "999999", "9999")
    assert asked.card_fingerprint == attempt.card_fingerprint
    assert asked.client_ip is None


def test_a_paid_payment_answers_the_same_again_and_charges_nothing(world: World) -> None:
    payment_id = world.create()
    first = world.pay(payment_id)

    again = world.pay(payment_id, OTHER_CARD)

    assert (again.status_code, again.json) == (200, first.json)
    assert len(world.bank.sales) == 1
    assert len(world.attempts(payment_id)) == 1


def test_a_decline_says_why_and_another_card_pays(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [decline("insufficient_funds")]

    declined = world.pay(payment_id)
    state_between = world.payment(payment_id).status
    paid = world.pay(payment_id, OTHER_CARD)

    assert_problem(declined, 402, "payment_declined")
    assert declined.json["decline_code"] == "insufficient_funds"
    assert "balance" in declined.json["detail"]
    assert (declined.json["order_id"], declined.json["payment_id"]) == (1, payment_id)
    assert state_between == PaymentStatus.FAILED
    assert paid.status_code == 200
    assert [attempt.state for attempt in world.attempts(payment_id)] == ["declined", "approved"]
    assert world.bank.total_minor == 399998


def test_a_decline_speaks_the_customers_language(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [decline("insufficient_funds")] * 2

    english = world.pay(payment_id)
    french = world.pay(payment_id, Accept_Language="fr-MA,fr;q=0.9")

    assert english.json["detail"] != french.json["detail"]


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "fraudulent", "never heard of"])
def test_a_delicate_decline_gets_a_general_sentence(world: World, code: str) -> None:
    payment_id = world.create()
    world.bank.script = [decline(code), decline("do_not_honor")]

    delicate, general = world.pay(payment_id), world.pay(payment_id)

    assert delicate.json["detail"] == general.json["detail"]


def test_a_fraud_decline_is_a_decline_and_never_reaches_the_bank(world: World) -> None:
    payment_id = world.create()
    world.fraud.script = [FraudDecision.DECLINE]

    response = world.pay(payment_id)

    assert_problem(response, 402, "payment_declined")
    assert "our own checks refused it (decline)" in response.json["error"]
    assert world.client.get(f"/payments/{payment_id}").json["message"] == response.json["detail"]
    assert world.bank.sales == []
    attempt = world.attempt(payment_id)
    assert (attempt.state, attempt.fraud_decision) == ("failed", "decline")
    assert "scripted" in (attempt.fraud_reasons or "")
    assert world.payment(payment_id).status == PaymentStatus.FAILED


def test_a_payment_that_another_request_processes_is_busy(world: World) -> None:
    payment_id = world.create()
    others = []
    world.fraud.meanwhile = lambda: others.append(world.in_other_thread(lambda: world.pay(payment_id)))

    response = world.pay(payment_id)

    assert response.status_code == 200
    (other,) = others
    assert_problem(other, 409, "payment_busy")
    limits = world.config.limits
    assert 1 <= int(other.headers["Retry-After"]) <= limits.send_within_s + limits.busy_grace_s
    assert len(world.bank.sales) == 1


@pytest.mark.parametrize("status", [PaymentStatus.CANCELLED, PaymentStatus.EXPIRED])
def test_a_closed_payment_is_refused(world: World, status: PaymentStatus) -> None:
    payment_id = world.create()
    world.change(
        lambda session: session.execute(update(Payment).where(Payment.id == payment_id).values(status=status))
    )

    response = world.pay(payment_id)

    assert_problem(response, 409, "payment_closed")
    assert response.json["payment_status"] == status
    assert world.fraud.requests == []
    assert world.bank.sales == []


def test_an_unknown_outcome_is_pending_and_never_charged_again(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [lose_request]

    first = world.pay(payment_id)
    world.outlast_senders()
    world.bank.is_away = True
    again = world.pay(payment_id)

    for response in (first, again):
        assert response.status_code == 202
        assert response.json["is_paid"] is False
        assert response.json["status"] == "processing"
        assert response.json["next_action"]["type"] == "look_again"
        assert int(response.headers["Retry-After"]) > 0
    assert len(world.bank.sales) == 1
    assert world.attempt(payment_id).state == "unknown"


def test_an_answer_lost_on_its_way_is_found_by_asking_once(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [lose_answer]

    response = world.pay(payment_id)

    assert response.status_code == 200
    assert len(world.bank.sales) == len(world.bank.asked) == 1
    assert world.bank.total_minor == 399998


def test_an_unknown_outcome_within_its_grace_is_busy_for_others(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [lose_request]
    world.pay(payment_id)
    limits = world.config.limits
    world.age(limits.send_within_s + limits.busy_grace_s - 1)

    assert_problem(world.pay(payment_id), 409, "payment_busy")
    assert len(world.bank.sales) == 1


def test_an_old_open_attempt_is_asked_about_first(world: World) -> None:
    payment_id = world.create()
    world.bank.is_away = True
    world.bank.script = [lose_answer]
    world.pay(payment_id)
    limits = world.config.limits
    world.age(limits.send_within_s + limits.busy_grace_s + 1)
    world.bank.is_away = False

    response = world.pay(payment_id, OTHER_CARD)

    assert response.status_code == 200
    assert len(world.bank.sales) == 1
    assert world.bank.total_minor == 399998


def test_an_old_attempt_that_took_nothing_gives_way_to_the_new_card(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [lose_request]
    world.pay(payment_id)
    world.outlast_senders()

    response = world.pay(payment_id, OTHER_CARD)

    assert response.status_code == 200
    assert [attempt.state for attempt in world.attempts(payment_id)] == ["abandoned", "approved"]
    assert world.bank.total_minor == 399998


def test_a_charge_that_was_surely_not_sent_leaves_the_payment_payable(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [refuse_connection]

    refused = world.pay(payment_id)
    status = world.payment(payment_id).status
    paid = world.pay(payment_id)

    assert_problem(refused, 502, "charge_not_sent")
    assert status == PaymentStatus.PENDING
    assert paid.status_code == 200
    assert [attempt.state for attempt in world.attempts(payment_id)] == ["not_sent", "approved"]


def test_a_failed_payment_that_is_surely_not_charged_is_failed_again(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [decline("do_not_honor"), refuse_connection]
    world.pay(payment_id)

    assert world.pay(payment_id).status_code == 502
    assert world.payment(payment_id).status == PaymentStatus.FAILED


@pytest.mark.parametrize("amount", ["1000.00", "1000.01", "3999.98"])
def test_a_silent_fraud_service_holds_amounts_from_its_limit_on_for_review(world: World, amount: str) -> None:
    payment_id = world.create(amount)
    world.fraud.script = [None]

    response = world.pay(payment_id)

    assert (response.status_code, response.json["is_paid"]) == (202, False)
    assert response.json["status"] == "in_review"
    assert int(response.headers["Retry-After"]) > 0
    assert world.bank.sales == []
    assert world.payment(payment_id).status == PaymentStatus.IN_REVIEW
    attempt = world.attempt(payment_id)
    assert (attempt.state, attempt.fraud_decision) == ("held", "silent")
    assert (world.pay(payment_id).status_code, world.bank.sales) == (202, [])


def test_a_silent_fraud_service_lets_small_amounts_pass_and_it_is_written_down(world: World) -> None:
    payment_id = world.create("999.99")
    world.fraud.script = [None]

    assert world.pay(payment_id).status_code == 200
    attempt = world.attempt(payment_id)
    assert attempt.fraud_decision == "silent"
    assert "ReadTimeoutError" in (attempt.fraud_reasons or "")


def test_a_review_holds_the_payment_and_charges_nothing(world: World) -> None:
    payment_id = world.create("10.00")
    world.fraud.script = [FraudDecision.REVIEW]

    response = world.pay(payment_id)

    assert (response.status_code, response.json["status"]) == (202, "in_review")
    assert world.bank.sales == []
    assert world.attempt(payment_id).fraud_decision == FraudDecision.REVIEW
    assert world.run_janitor() == 0


def test_a_challenge_is_passed_on_to_the_bank(world: World) -> None:
    payment_id = world.create("10.00")
    world.fraud.script = [FraudDecision.CHALLENGE]

    assert world.pay(payment_id).status_code == 200

    (sale,) = world.bank.sales
    assert sale.three_ds is ThreeDSecure.REQUIRED
    token = world.attempt(payment_id).return_token
    assert sale.return_url == f"{world.config.public_base_url}/checkout/3ds/{token}"


def test_a_full_bulkhead_is_not_now(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [be_full]

    response = world.pay(payment_id)

    assert_problem(response, 503, "processing_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert world.payment(payment_id).status == PaymentStatus.PENDING


@pytest.mark.parametrize(
    "payment_id",
    ["0", "None", "-1", "1" * 40, "9223372036854775808", "abc", "1.0", "01", "3e2", "%31x", "25"],
)
def test_an_id_that_no_payment_has_is_not_found(world: World, payment_id: str) -> None:
    responses = [
        world.pay(payment_id),
        world.client.get(f"/payments/{payment_id}"),
    ]

    for response in responses:
        assert response.status_code == 404
        assert response.content_type == "application/problem+json"
        assert response.json["error"]
    assert world.client.get(f"/payments/process/{payment_id}").status_code == 404
    assert world.all(PaymentAttempt) == []


@pytest.mark.parametrize("payment_id", ["0", "None"])
def test_the_links_that_the_shop_really_makes_are_explained(world: World, payment_id: str) -> None:
    assert "could not reach the payment service" in world.pay(payment_id).json["error"]


@pytest.mark.parametrize(
    "card",
    [
        {"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"},
        {"cardNumber": "9999999999999", "cardCode": "123", "expirationDate": "2030-01"},
        {"cardNumber": "4242-4242 4242 4242", "cardCode": 7, "expirationDate": "2026-11-01"},
        {"cardNumber": 4242424242424242, "cardCode": "0007", "expirationDate": " 2026-11 ", "extra": [1]},
    ],
)
def test_cards_come_as_numbers_or_strings(world: World, card: dict[str, object]) -> None:
    assert world.pay(world.create(), card).status_code == 200


def test_a_numeric_code_gets_its_leading_zeros_back(world: World) -> None:
    world.pay(world.create(), {"cardNumber": 9999999999999, "cardCode": 7, "expirationDate": "2030-01"})

    assert world.bank.sales[0].card.cvv == "007"


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cardNumber": 4242424242424241}, "cardNumber"),
        ({"cardNumber": "9999999999998"}, "cardNumber"),
        ({"cardNumber": "12345678901"}, "cardNumber"),
        ({"cardNumber": "4" * 20}, "cardNumber"),
        ({"cardNumber": "4242x4242y4242z42"}, "cardNumber"),
        ({"cardNumber": "\u0664\u0662" * 8}, "cardNumber"),
        ({"cardNumber": True}, "cardNumber"),
        ({"cardNumber": -9999999999999}, "cardNumber"),
        ({"cardNumber": Decimal("4242424242424242.5")}, "cardNumber"),
        ({"cardNumber": None}, "cardNumber"),
        ({"cardNumber": ["4242424242424242"]}, "cardNumber"),
        ({"cardCode": "12"}, "cardCode"),
        ({"cardCode": 12345}, "cardCode"),
        ({"cardCode": "12a"}, "cardCode"),
        ({"cardCode": ""}, "cardCode"),
        ({"expirationDate": "2026-10-31"}, "expirationDate"),
        ({"expirationDate": "2030-13-01"}, "expirationDate"),
        ({"expirationDate": "2030-00"}, "expirationDate"),
        ({"expirationDate": "01/30"}, "expirationDate"),
        ({"expirationDate": "2030-01-05\x00"}, "expirationDate"),
        ({"expirationDate": "9" * 5000}, "expirationDate"),
        ({"expirationDate": 20300105}, "expirationDate"),
    ],
)
def test_a_malformed_card_is_refused_before_anything_is_stored(
    world: World, change: dict[str, object], field: str
) -> None:
    payment_id = world.create()
    card = {"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05", **change}

    response = world.pay(payment_id, card)

    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    assert list(response.json["errors"]) == [field]
    assert change[field] is None or len(str(change[field])) < 5 or str(change[field]) not in response.text
    assert world.attempts(payment_id) == []
    assert world.payment(payment_id).status == PaymentStatus.PENDING


@pytest.mark.parametrize("field", ["cardNumber", "cardCode", "expirationDate"])
def test_every_field_of_a_card_is_required(world: World, field: str) -> None:
    card = {"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"}
    del card[field]

    response = world.pay(world.create(), card)

    assert response.status_code == 400
    assert field in response.json["errors"]
