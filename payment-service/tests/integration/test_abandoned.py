"""What was given up at the bank is told as that, and not as a bank that could not be reached."""

import pytest
from payment_service.providers.port import Outcome, ProviderCharge, ProviderResult

from tests.testkit.payments.access import open_shop
from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.scripted.bank import CarryOut, ScriptedBank
from tests.testkit.payments.scripted.follow_ups import lose_it
from tests.testkit.payments.scripted.sales import lose_request
from tests.testkit.payments.world import World

GIVEN_UP = ProviderResult(Outcome.ABANDONED)


@pytest.fixture
def seller(world: World) -> TestMerchant:
    return TestMerchant.of(world)


def give_up(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
    """The janitor was quicker: the bank promised never to carry this out."""
    return bank.remember(request.attempt_id, GIVEN_UP)


def give_it_up(bank: ScriptedBank, movement_id: str, _carry_out: CarryOut) -> ProviderResult:
    return bank.remember(movement_id, GIVEN_UP)


def test_the_shop_and_the_merchant_hear_that_the_charge_was_given_up(world: World) -> None:
    world.bank.script = [give_up, give_up]
    payment_id = world.create()

    lab = world.pay(payment_id)
    merchant = open_shop(world).pay(world)

    assert (lab.status_code, lab.json["code"], lab.json["is_paid"]) == (502, "charge_abandoned", False)
    assert (merchant.status_code, merchant.json["code"]) == (502, "charge_abandoned")
    for told in (lab.json["detail"], merchant.json["detail"]):
        assert "given up" in told
        assert "reached" not in told
    assert world.pay(payment_id).status_code == 200


def test_the_payer_reads_that_the_attempt_was_given_up(world: World) -> None:
    world.bank.script = [give_up]

    card = {"cardNumber": "4242424242424242", "cardCode": "123", "expirationDate": "01/30"}
    page = world.client.post(f"/payments/process/{world.create()}", data={**card, "form_key": "key-1"})

    assert page.status_code == 502
    assert "abandonnée" in page.text
    assert "injoignable" not in page.text


def test_what_the_janitor_gave_up_is_shown_as_that(seller: TestMerchant) -> None:
    seller.world.bank.script = [lose_request]
    payment_id = seller.pay(seller.create())

    seller.work()

    error = seller.get(f"/v1/payments/{payment_id}").json["last_error"]
    entry = seller.get(f"/v1/payments/{payment_id}/events").json["data"][0]
    assert error["code"] == "charge_abandoned"
    assert "given up" in error["message"]
    assert entry["type"] == "payment.released"
    assert "given up" in entry["why"]


def test_a_challenge_that_was_given_up_was_not_late(seller: TestMerchant) -> None:
    payment_id = seller.challenged()
    seller.cancel(payment_id)

    assert "in time" not in seller.get(f"/v1/payments/{payment_id}").json["last_error"]["message"]


@pytest.mark.parametrize("kind", ["capture", "cancel", "refund"])
def test_a_follow_up_that_was_given_up_changed_nothing(seller: TestMerchant, kind: str) -> None:
    payment_id = seller.taken() if kind == "refund" else seller.held()
    seller.world.bank.follow_up_script = [give_it_up]

    told = getattr(seller, kind)(payment_id)

    assert told.status_code == 502
    assert told.json["code"] == f"{'cancellation' if kind == 'cancel' else kind}_abandoned"
    assert "reached" not in told.json["detail"]


def test_a_refund_that_was_given_up_says_so(seller: TestMerchant) -> None:
    seller.world.bank.follow_up_script = [lose_it]
    refund_id = seller.refund(seller.taken()).json["id"]

    seller.work()

    assert seller.get(f"/v1/refunds/{refund_id}").json["failure_code"] == "abandoned"
