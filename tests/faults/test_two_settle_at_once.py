"""Two bring a result for one attempt at the same moment: one waits for the other's commit."""

import threading
from collections.abc import Callable, Iterator

import pytest
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.settlement.settle import settle
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.values.statuses import MovementState, PaymentStatus
from service_kit.clock import utc_now
from service_kit.db import migrations
from sqlalchemy.orm import Session

from tests.testkit.payments.config import make_config
from tests.testkit.payments.scripted.sales import lose_request
from tests.testkit.payments.world import World, world_on


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    config = make_config(database_url)
    migrations.upgrade(database_url, config.migrations_dir)
    with world_on(config) as world:
        yield world


def test_the_second_settles_what_the_first_left(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [lose_request]
    world.pay(payment_id)
    attempt = world.attempt(payment_id)
    policy, reference, now = world.dependencies.policy, MovementReference.of(attempt), utc_now()
    first_has_read, first_may_commit = threading.Event(), threading.Event()
    met: list[str] = []

    def settle_as(session: Session, outcome: Outcome) -> PaymentAttempt:
        result = ProviderResult(outcome, authorization_code="A1")
        return settle(session, policy, reference, result, now, actor="test").movement

    def settle_slowly(session: Session) -> None:
        settle_as(session, Outcome.APPROVED)
        first_has_read.set()
        first_may_commit.wait(60)

    def settle_at_once(session: Session) -> None:
        met.append(settle_as(session, Outcome.DECLINED).state)

    first = threading.Thread(target=_in_transaction, args=(world, settle_slowly))
    second = threading.Thread(target=_in_transaction, args=(world, settle_at_once))
    first.start()
    assert first_has_read.wait(60)
    second.start()
    # Time for a second that did not wait; one that does is not hurried by it.
    second.join(0.5)
    first_may_commit.set()
    first.join()
    second.join()

    assert met == [MovementState.APPROVED]
    assert world.payment(payment_id).status == PaymentStatus.COMPLETED
    assert world.events(payment_id)[-2:] == ["payment.completed", "attempt.contradicted"]


def _in_transaction(world: World, work: Callable[[Session], None]) -> None:
    with world.app.app_context():
        db.in_transaction(work)
