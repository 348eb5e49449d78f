"""The janitor and expiry: whatever a dead thread left behind, and what nobody paid."""

from datetime import timedelta
from typing import cast

import pytest
from payment_service.commands.upkeep.expire_payments import expire_payments
from payment_service.config import Config
from payment_service.domain.settlement.context import SettlementPolicy
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.processing.dependencies import Dependencies
from payment_service.providers.port import Capabilities, ProviderCharge, ProviderResult
from payment_service.values.statuses import PaymentStatus
from service_kit.clock import utc_now
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests.testkit.payments.scripted.bank import ScriptedBank
from tests.testkit.payments.scripted.sales import approve, decline, lose_answer, lose_request
from tests.testkit.payments.world import World


class Killed(BaseException):
    """The process is gone: nothing after this line runs, not even handlers of errors."""


def die_while_judged(world: World) -> int:
    def die() -> None:
        raise Killed

    world.fraud.meanwhile = die
    payment_id = world.create()
    with pytest.raises(Killed):
        world.pay(payment_id)
    world.fraud.meanwhile = lambda: None
    return payment_id


def die_while_charging(world: World, *, is_carried_out: bool) -> int:
    def die(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
        if is_carried_out:
            bank.carry_out(request)
        raise Killed

    world.bank.script = [die]
    payment_id = world.create()
    with pytest.raises(Killed):
        world.pay(payment_id)
    return payment_id


def test_a_thread_that_died_while_it_was_judged_leaves_a_payable_payment(world: World) -> None:
    payment_id = die_while_judged(world)
    assert world.payment(payment_id).status == PaymentStatus.PROCESSING

    world.outlast_senders()
    asked = world.run_janitor()

    assert asked == 1
    assert world.bank.asked == world.bank.abandoned == []
    assert world.attempt(payment_id).state == "not_sent"
    assert world.payment(payment_id).status == PaymentStatus.PENDING
    assert world.pay(payment_id).status_code == 200


def test_a_thread_that_died_after_the_money_moved_is_completed(world: World) -> None:
    payment_id = die_while_charging(world, is_carried_out=True)

    world.age(11)
    world.run_janitor()

    assert world.payment(payment_id).status == PaymentStatus.COMPLETED
    assert len(world.messages()) == len(world.told_to_payers()) == 1
    assert world.waker.calls == 1
    assert world.bank.total_minor == 399998


def test_a_thread_that_died_before_the_bank_heard_of_it_is_abandoned_first(world: World) -> None:
    payment_id = die_while_charging(world, is_carried_out=False)

    world.outlast_senders()
    world.run_janitor()

    assert world.bank.abandoned == [world.attempt(payment_id).public_id]
    assert world.attempt(payment_id).state == "abandoned"
    assert world.payment(payment_id).status == PaymentStatus.PENDING
    assert world.pay(payment_id).status_code == 200
    assert world.bank.total_minor == 399998


def test_a_failed_payment_returns_to_failed(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [decline("do_not_honor"), lose_request]
    world.pay(payment_id)
    world.pay(payment_id)

    world.outlast_senders()
    world.run_janitor()

    assert world.payment(payment_id).status == PaymentStatus.FAILED


def test_nobody_is_asked_before_ten_seconds(world: World) -> None:
    die_while_charging(world, is_carried_out=True)

    world.age(9)

    assert world.run_janitor() == 0
    assert world.bank.asked == []


@pytest.mark.parametrize(("late_s", "is_abandoned"), [(-10, False), (-1, False), (1, True)])
def test_an_unknown_id_is_abandoned_only_after_send_before_and_the_margin(
    world: World, late_s: float, is_abandoned: bool
) -> None:
    payment_id = die_while_charging(world, is_carried_out=False)
    limits = world.config.limits

    world.age(limits.send_within_s + limits.clock_margin_s + late_s)
    world.run_janitor()

    assert bool(world.bank.abandoned) is is_abandoned
    assert world.attempt(payment_id).state == ("abandoned" if is_abandoned else "unknown")


def test_a_provider_that_cannot_abandon_is_asked_on(world: World) -> None:
    world.bank.capabilities = Capabilities(can_abandon=False)
    payment_id = die_while_charging(world, is_carried_out=False)

    world.age(3600)
    world.run_janitor()

    assert world.bank.abandoned == []
    assert world.attempt(payment_id).state == "unknown"
    assert world.payment(payment_id).status == PaymentStatus.PROCESSING


def test_an_abandon_that_meets_an_executed_id_completes_the_payment(world: World) -> None:
    payment_id = die_while_charging(world, is_carried_out=False)
    sale = world.bank.sales[0]
    world.bank.before_abandoned = lambda _: world.bank.carry_out(sale)
    world.outlast_senders()
    world.run_janitor()

    assert world.payment(payment_id).status == PaymentStatus.COMPLETED


def test_a_bank_that_is_away_is_asked_again_later(world: World) -> None:
    payment_id = die_while_charging(world, is_carried_out=True)
    world.bank.is_away = True

    pauses = []
    for age_s in (11, 20, 30, 240, 600, 3600, 86400):
        world.age(age_s)
        assert world.run_janitor() == 1
        attempt = world.attempt(payment_id)
        assert attempt.next_ask_at is not None
        pauses.append(round((attempt.next_ask_at - attempt.started_at).total_seconds()))
        world.change(lambda session: session.execute(update(PaymentAttempt).values(next_ask_at=utc_now())))

    assert pauses[:4] == [30, 60, 300, 900]
    assert pauses[4] == pytest.approx(901 + 3600, abs=30)
    assert pauses[5] == pytest.approx(901 + 3600 + 3600, abs=30)
    assert pauses[6] == pytest.approx(901 + 3600 + 86400 + 86400, abs=30)
    world.bank.is_away = False
    world.run_janitor()
    assert world.payment(payment_id).status == PaymentStatus.COMPLETED


def test_of_two_janitors_one_asks(world: World) -> None:
    die_while_charging(world, is_carried_out=True)
    world.age(15)
    asked_by_the_other: list[int] = []
    world.bank.before_asked = lambda _: asked_by_the_other.append(world.run_janitor())

    assert world.run_janitor() == 1
    assert asked_by_the_other == [0]


def test_a_janitor_that_died_is_replaced_when_its_lease_ends(world: World) -> None:
    payment_id = die_while_charging(world, is_carried_out=True)
    world.age(15)

    def die(_attempt_id: str) -> ProviderResult:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.bank, "fetch_status", die)
        with pytest.raises(Killed):
            world.run_janitor()
    within_the_lease = world.run_janitor()
    world.age(31)

    assert within_the_lease == 0
    assert world.run_janitor() == 1
    assert world.payment(payment_id).status == PaymentStatus.COMPLETED


def test_one_ask_that_fails_does_not_hold_up_the_others(world: World) -> None:
    payment_ids = [die_while_charging(world, is_carried_out=True) for _ in range(3)]
    world.age(15)
    first = world.attempt(payment_ids[0]).public_id

    def fail_for_the_first(attempt_id: str) -> None:
        if attempt_id == first:
            raise RuntimeError("a defect of the adapter")

    world.bank.before_asked = fail_for_the_first
    world.run_janitor()

    assert [world.payment(payment_id).status for payment_id in payment_ids] == [
        PaymentStatus.PROCESSING,
        PaymentStatus.COMPLETED,
        PaymentStatus.COMPLETED,
    ]


def expire(world: World) -> int:
    with world.app.app_context():
        return expire_payments(world.dependencies)


def let_time_pass(world: World, by: timedelta) -> None:
    def work(session: Session) -> None:
        session.execute(
            update(Payment).where(Payment.expires_at.is_not(None)).values(expires_at=utc_now() - by)
        )

    world.change(work)


def test_a_payment_that_nobody_paid_expires(world: World) -> None:
    fresh = world.payment(world.create())
    assert fresh.expires_at is not None
    assert fresh.expires_at - fresh.created_at == timedelta(days=30)
    early = expire(world)
    let_time_pass(world, timedelta(seconds=1))

    expired = expire(world)

    assert (early, expired) == (0, 1)
    assert world.payment(fresh.id).status == PaymentStatus.EXPIRED
    assert world.events(fresh.id) == ["payment.created", "payment.expired"]
    assert world.pay(fresh.id).status_code == 409
    assert world.bank.sales == []


def test_a_failed_payment_expires_and_a_paid_one_does_not(world: World) -> None:
    failed, paid = world.create(), world.create()
    world.bank.script = [decline("do_not_honor"), approve]
    world.pay(failed)
    world.pay(paid)
    let_time_pass(world, timedelta(days=1))

    assert expire(world) == 1
    assert world.payment(failed).status == PaymentStatus.EXPIRED
    assert world.payment(paid).status == PaymentStatus.COMPLETED


def test_expiry_waits_while_a_movement_is_open(world: World) -> None:
    payment_id = world.create()
    world.bank.is_away = True
    world.bank.script = [lose_answer]
    world.pay(payment_id)
    let_time_pass(world, timedelta(days=1))

    assert expire(world) == 0
    world.bank.is_away = False
    world.outlast_senders()
    world.run_janitor()
    assert world.payment(payment_id).status == PaymentStatus.COMPLETED


def test_seeded_payments_never_expire(world: World) -> None:
    let_time_pass(world, timedelta(days=400))

    assert expire(world) == 0
    assert [payment.status for payment in world.all(Payment)] == ["pending", "pending"]
    assert [payment.expires_at for payment in world.all(Payment)] == [None, None]


def test_a_payment_that_is_claimed_while_it_expires_is_left_alone(world: World) -> None:
    payment_id = world.create()
    let_time_pass(world, timedelta(seconds=1))
    expired: list[int] = []
    world.fraud.meanwhile = lambda: expired.append(world.in_other_thread(lambda: expire(world)))

    assert world.pay(payment_id).status_code == 200
    assert expired == [0]


class PaidMeanwhile:
    """The dependencies, which somebody pays with between the look at what is due and the lock."""

    def __init__(self, world: World, payment_id: int) -> None:
        self._world = world
        self._payment_id = payment_id

    @property
    def config(self) -> Config:
        return self._world.config

    @property
    def policy(self) -> SettlementPolicy:
        response = self._world.in_other_thread(lambda: self._world.pay(self._payment_id))
        assert response.status_code == 200
        return self._world.dependencies.policy


def test_a_payment_that_is_paid_between_the_look_and_the_lock_does_not_expire(world: World) -> None:
    payment_id = world.create()
    let_time_pass(world, timedelta(seconds=1))

    with world.app.app_context():
        expired = expire_payments(cast(Dependencies, PaidMeanwhile(world, payment_id)))

    assert expired == 0
    assert world.payment(payment_id).status == PaymentStatus.COMPLETED
