"""Expiring: whatever waits too long ends, and where a bank is concerned only on its word."""

from datetime import timedelta

import pytest
from payment_service.commands.upkeep.expire_payments import expire_payments
from payment_service.models.card import SealedCard
from payment_service.models.movement import Capture, PaymentAttempt, Void
from payment_service.models.payment import Payment
from payment_service.providers.port import ProviderResult
from service_kit.clock import utc_now
from sqlalchemy import update

from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.scripted.bank import CarryOut, FollowUpBehaviour, ScriptedBank
from tests.testkit.payments.scripted.follow_ups import (
    APPROVED,
    DECLINED,
    decline_it,
    do_it_and_vanish,
    lose_it,
    refuse_it,
    take_time,
)
from tests.testkit.payments.world import World


@pytest.fixture
def seller(world: World) -> TestMerchant:
    return TestMerchant.of(world)


def expire(seller: TestMerchant) -> int:
    return seller.world.in_other_thread(lambda: expire_payments(seller.world.dependencies))


def let_it_be_due(seller: TestMerchant, payment_id: str) -> None:
    due = utc_now() - timedelta(seconds=1)
    seller.world.change(
        lambda session: session.execute(
            update(Payment).where(Payment.public_id == payment_id).values(expires_at=due)
        )
    )


@pytest.mark.parametrize(
    ("kind", "lifetime"),
    [
        ("held", timedelta(days=7)),
        ("challenged", timedelta(minutes=15)),
        ("reviewed", timedelta(hours=24)),
    ],
)
def test_each_kind_of_waiting_has_its_time(seller: TestMerchant, kind: str, lifetime: timedelta) -> None:
    payment = seller.payment(getattr(seller, kind)())

    assert payment.expires_at is not None
    assert lifetime - timedelta(minutes=1) < payment.expires_at - utc_now() <= lifetime
    assert expire(seller) == 0


def test_a_hold_ends_at_the_bank_first(seller: TestMerchant) -> None:
    payment_id = seller.held()
    let_it_be_due(seller, payment_id)

    assert expire(seller) == 1

    assert seller.payment(payment_id).status == "expired"
    assert seller.world.bank.held_minor == {}
    assert seller.events(payment_id)[-2:] == ["void.requested", "payment.expired"]
    assert expire(seller) == 0


def test_what_was_captured_of_a_hold_is_kept(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)
    seller.capture(payment_id, amount=4000)
    let_it_be_due(seller, payment_id)

    expire(seller)

    assert seller.payment(payment_id).status == "completed"
    assert (seller.world.bank.total_minor, seller.world.bank.held_minor) == (4000, {})


@pytest.mark.parametrize("behave", [lose_it, take_time])
def test_expiry_waits_for_an_open_capture(seller: TestMerchant, behave: FollowUpBehaviour) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [behave]
    seller.capture(payment_id, amount=1)
    let_it_be_due(seller, payment_id)

    assert expire(seller) == 0

    payment = seller.payment(payment_id)
    assert (payment.status, seller.world.bank.voids) == ("authorized", [])
    assert payment.expires_at is not None
    assert payment.expires_at > utc_now()  # it makes room for others that are due


@pytest.mark.parametrize("behave", [decline_it("issuer_unavailable"), refuse_it])
def test_a_hold_that_could_not_be_released_is_tried_again_later(
    seller: TestMerchant, behave: FollowUpBehaviour
) -> None:
    payment_id = seller.held()
    let_it_be_due(seller, payment_id)
    seller.world.bank.follow_up_script = [behave]

    assert (expire(seller), expire(seller)) == (0, 0)
    assert (seller.payment(payment_id).status, len(seller.world.bank.voids)) == ("authorized", 1)
    let_it_be_due(seller, payment_id)
    assert expire(seller) == 1

    assert seller.payment(payment_id).status == "expired"
    assert [void.purpose for void in seller.world.all(Void)] == ["expiry", "expiry"]


def test_a_hold_that_a_late_capture_took_is_left_to_a_person(
    seller: TestMerchant, capsys: pytest.CaptureFixture[str]
) -> None:
    payment_id = seller.held()
    seller.world.bank.follow_up_script = [refuse_it, decline_it("wrong_state")]
    seller.capture(payment_id)
    (capture,) = seller.world.all(Capture)
    seller.world.bank.settle(capture.public_id, APPROVED)
    let_it_be_due(seller, payment_id)

    assert expire(seller) == 0

    payment = seller.payment(payment_id)
    assert (payment.status, payment.expires_at) == ("authorized", None)
    assert seller.events(payment_id)[-2:] == ["movement.contradicted", "void.failed"]
    (void,) = seller.world.all(Void)
    assert void.last_error is not None
    assert capture.public_id in void.last_error
    assert "hold_left_to_a_person" in capsys.readouterr().out
    assert expire(seller) == 0
    assert len(seller.world.all(Void)) == 1


def test_a_release_without_an_answer_is_found_out_by_the_janitor(seller: TestMerchant) -> None:
    payment_id = seller.held()
    let_it_be_due(seller, payment_id)
    seller.world.bank.follow_up_script = [do_it_and_vanish]

    assert expire(seller) == 0
    seller.world.bank.is_away = False
    seller.work()

    assert seller.payment(payment_id).status == "expired"


def test_a_review_that_nobody_decided_forgets_the_card(seller: TestMerchant) -> None:
    payment_id = seller.reviewed()
    let_it_be_due(seller, payment_id)

    assert expire(seller) == 1

    assert seller.payment(payment_id).status == "expired"
    assert seller.world.all(SealedCard) == []
    assert [attempt.state for attempt in seller.world.all(PaymentAttempt)] == ["not_sent"]


def test_a_challenge_ends_at_the_bank_first(seller: TestMerchant) -> None:
    payment_id = seller.challenged()
    let_it_be_due(seller, payment_id)

    assert expire(seller) == 1

    assert seller.payment(payment_id).status == "expired"
    assert len(seller.world.bank.abandoned) == 1


def test_a_challenge_goes_on_while_the_bank_is_away(seller: TestMerchant) -> None:
    payment_id = seller.challenged()
    let_it_be_due(seller, payment_id)
    seller.world.bank.is_away = True

    assert expire(seller) == 0
    assert seller.payment(payment_id).status == "requires_action"
    seller.world.bank.is_away = False
    let_it_be_due(seller, payment_id)
    assert expire(seller) == 1

    assert seller.payment(payment_id).status == "expired"


@pytest.mark.parametrize(("says", "status"), [(APPROVED, "authorized"), (DECLINED, "failed")])
def test_a_cardholder_who_finished_in_time_did_so(
    seller: TestMerchant, says: ProviderResult, status: str
) -> None:
    payment_id = seller.challenged()
    (attempt,) = seller.world.all(PaymentAttempt)
    seller.world.bank.settle(attempt.public_id, says)
    let_it_be_due(seller, payment_id)

    expire(seller)

    assert seller.payment(payment_id).status == status


def break_down(_bank: ScriptedBank, _movement_id: str, _carry_out: CarryOut) -> ProviderResult:
    raise RuntimeError("a defect of ours")


def test_one_that_fails_delays_no_other(seller: TestMerchant) -> None:
    broken, good = seller.held(), seller.held()
    for payment_id in (broken, good):
        let_it_be_due(seller, payment_id)
    seller.world.bank.follow_up_script = [break_down]

    expire(seller)

    assert sorted(seller.payment(payment_id).status for payment_id in (broken, good)) == [
        "authorized",
        "expired",
    ]
