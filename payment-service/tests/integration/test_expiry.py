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

from tests.testkit.payments.merchant import Till
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
def till(world: World) -> Till:
    return Till.of(world)


def expire(till: Till) -> int:
    return till.world.in_other_thread(lambda: expire_payments(till.world.dependencies))


def let_it_be_due(till: Till, payment_id: str) -> None:
    due = utc_now() - timedelta(seconds=1)
    till.world.change(
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
def test_each_kind_of_waiting_has_its_time(till: Till, kind: str, lifetime: timedelta) -> None:
    payment = till.payment(getattr(till, kind)())

    assert payment.expires_at is not None
    assert lifetime - timedelta(minutes=1) < payment.expires_at - utc_now() <= lifetime
    assert expire(till) == 0


def test_a_hold_ends_at_the_bank_first(till: Till) -> None:
    payment_id = till.held()
    let_it_be_due(till, payment_id)

    assert expire(till) == 1

    assert till.payment(payment_id).status == "expired"
    assert till.world.bank.held_minor == {}
    assert till.events(payment_id)[-2:] == ["void.requested", "payment.expired"]
    assert expire(till) == 0


def test_what_was_captured_of_a_hold_is_kept(till: Till) -> None:
    payment_id = till.held(10000)
    till.capture(payment_id, amount=4000)
    let_it_be_due(till, payment_id)

    expire(till)

    assert till.payment(payment_id).status == "completed"
    assert (till.world.bank.total_minor, till.world.bank.held_minor) == (4000, {})


@pytest.mark.parametrize("behave", [lose_it, take_time])
def test_expiry_waits_for_an_open_capture(till: Till, behave: FollowUpBehaviour) -> None:
    payment_id = till.held(10000)
    till.world.bank.follow_up_script = [behave]
    till.capture(payment_id, amount=1)
    let_it_be_due(till, payment_id)

    assert expire(till) == 0

    payment = till.payment(payment_id)
    assert (payment.status, till.world.bank.voids) == ("authorized", [])
    assert payment.expires_at is not None
    assert payment.expires_at > utc_now()  # it makes room for others that are due


@pytest.mark.parametrize("behave", [decline_it("issuer_unavailable"), refuse_it])
def test_a_hold_that_could_not_be_released_is_tried_again_later(
    till: Till, behave: FollowUpBehaviour
) -> None:
    payment_id = till.held()
    let_it_be_due(till, payment_id)
    till.world.bank.follow_up_script = [behave]

    assert (expire(till), expire(till)) == (0, 0)
    assert (till.payment(payment_id).status, len(till.world.bank.voids)) == ("authorized", 1)
    let_it_be_due(till, payment_id)
    assert expire(till) == 1

    assert till.payment(payment_id).status == "expired"
    assert [void.purpose for void in till.world.all(Void)] == ["expiry", "expiry"]


def test_a_hold_that_a_late_capture_took_is_left_to_a_person(
    till: Till, capsys: pytest.CaptureFixture[str]
) -> None:
    payment_id = till.held()
    till.world.bank.follow_up_script = [refuse_it, decline_it("wrong_state")]
    till.capture(payment_id)
    (capture,) = till.world.all(Capture)
    till.world.bank.settle(capture.public_id, APPROVED)
    let_it_be_due(till, payment_id)

    assert expire(till) == 0

    payment = till.payment(payment_id)
    assert (payment.status, payment.expires_at) == ("authorized", None)
    assert till.events(payment_id)[-2:] == ["movement.contradicted", "void.failed"]
    (void,) = till.world.all(Void)
    assert void.last_error is not None
    assert capture.public_id in void.last_error
    assert "hold_left_to_a_person" in capsys.readouterr().out
    assert expire(till) == 0
    assert len(till.world.all(Void)) == 1


def test_a_release_without_an_answer_is_found_out_by_the_janitor(till: Till) -> None:
    payment_id = till.held()
    let_it_be_due(till, payment_id)
    till.world.bank.follow_up_script = [do_it_and_vanish]

    assert expire(till) == 0
    till.world.bank.is_away = False
    till.work()

    assert till.payment(payment_id).status == "expired"


def test_a_review_that_nobody_decided_forgets_the_card(till: Till) -> None:
    payment_id = till.reviewed()
    let_it_be_due(till, payment_id)

    assert expire(till) == 1

    assert till.payment(payment_id).status == "expired"
    assert till.world.all(SealedCard) == []
    assert [attempt.state for attempt in till.world.all(PaymentAttempt)] == ["not_sent"]


def test_a_challenge_ends_at_the_bank_first(till: Till) -> None:
    payment_id = till.challenged()
    let_it_be_due(till, payment_id)

    assert expire(till) == 1

    assert till.payment(payment_id).status == "expired"
    assert len(till.world.bank.abandoned) == 1


def test_a_challenge_goes_on_while_the_bank_is_away(till: Till) -> None:
    payment_id = till.challenged()
    let_it_be_due(till, payment_id)
    till.world.bank.is_away = True

    assert expire(till) == 0
    assert till.payment(payment_id).status == "requires_action"
    till.world.bank.is_away = False
    let_it_be_due(till, payment_id)
    assert expire(till) == 1

    assert till.payment(payment_id).status == "expired"


@pytest.mark.parametrize(("says", "status"), [(APPROVED, "authorized"), (DECLINED, "failed")])
def test_a_cardholder_who_finished_in_time_did_so(till: Till, says: ProviderResult, status: str) -> None:
    payment_id = till.challenged()
    (attempt,) = till.world.all(PaymentAttempt)
    till.world.bank.settle(attempt.public_id, says)
    let_it_be_due(till, payment_id)

    expire(till)

    assert till.payment(payment_id).status == status


def break_down(_bank: ScriptedBank, _movement_id: str, _carry_out: CarryOut) -> ProviderResult:
    raise RuntimeError("a defect of ours")


def test_one_that_fails_delays_no_other(till: Till) -> None:
    broken, good = till.held(), till.held()
    for payment_id in (broken, good):
        let_it_be_due(till, payment_id)
    till.world.bank.follow_up_script = [break_down]

    expire(till)

    assert sorted(till.payment(payment_id).status for payment_id in (broken, good)) == [
        "authorized",
        "expired",
    ]
