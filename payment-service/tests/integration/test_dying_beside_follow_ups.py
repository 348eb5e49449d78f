"""A process dies between any two writes of a capture, a cancellation or a refund: it happens at most once."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.payment import Payment
from service_kit.clock import utc_now
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.process_kills import outside
from tests.testkit.payments.repeatable_request import Post
from tests.testkit.payments.world import World

pytestmark = pytest.mark.deep_on("mariadb")
POINTS = [
    "before COMMIT",
    "after COMMIT",
    "before bank.{0}",
    "after bank.{0}",
    "before COMMIT",
    "after COMMIT",
]


@pytest.fixture
def seller(world: World) -> TestMerchant:
    return TestMerchant.of(world)


def capture(seller: TestMerchant) -> tuple[str, str, Mapping[str, Any]]:
    payment_id = seller.held(10000)
    return payment_id, f"/v1/payments/{payment_id}/capture", {"amount": 4000}


def cancel(seller: TestMerchant) -> tuple[str, str, Mapping[str, Any]]:
    payment_id = seller.held(10000)
    return payment_id, f"/v1/payments/{payment_id}/cancel", {"reason": "sold out"}


def refund(seller: TestMerchant) -> tuple[str, str, Mapping[str, Any]]:
    payment_id = seller.taken(10000)
    return payment_id, "/v1/refunds", {"payment": payment_id, "amount": 4000}


def is_captured(payment: Payment) -> bool:
    return payment.captured_minor == 4000


def is_cancelled(payment: Payment) -> bool:
    return payment.status == "cancelled"


def is_refunded(payment: Payment) -> bool:
    return payment.refunded_minor == 4000


def end_leases(session: Session) -> None:
    session.execute(update(IdempotencyKey).values(leased_until=utc_now() - timedelta(seconds=1)))


@pytest.mark.parametrize(
    ("verb", "begin", "is_done"),
    [("capture", capture, is_captured), ("void", cancel, is_cancelled), ("refund", refund, is_refunded)],
)
@pytest.mark.parametrize("janitor_first", [True, False])
def test_whoever_dies_anywhere_does_it_at_most_once(
    seller: TestMerchant,
    verb: str,
    begin: Callable[[TestMerchant], tuple[str, str, Mapping[str, Any]]],
    is_done: Callable[[Payment], bool],
    janitor_first: bool,
) -> None:
    bank = seller.world.bank
    with outside(seller.world) as processes:
        for number in count(1):
            payment_id, path, body = begin(seller)
            key = f"death-{number}"
            headers = {**seller.shop.bearer, "Idempotency-Key": key}

            life = processes.send(Post(path, dict(body), headers), die_at=number)
            seller.world.outlast_senders()
            seller.world.change(end_leases)
            if janitor_first:
                seller.world.run_janitor()
            first, again = seller.post(path, body, key), seller.post(path, body, key)

            payment = seller.payment(payment_id)
            assert (payment.capturing_minor, payment.refunding_minor) == (0, 0), life.points
            (attempt,) = seller.world.attempts(payment.id)
            requests = [sent for sent in getattr(bank, f"{verb}s") if sent.original_id == attempt.public_id]
            assert len(requests) == is_done(payment), life.points
            assert first.status_code in ({200, 201} if is_done(payment) else {502}), life.points
            assert (again.status_code, again.text) == (first.status_code, first.text)
            if life.survived:
                break

    assert life.points == [point.format(verb) for point in POINTS]
    assert is_done(payment)
