"""Capturing: never more than is held, whatever is under way and whoever dies."""

import pytest
from payment_service.testing import World
from payment_service.testing_payments import Till


@pytest.fixture
def till(world: World) -> Till:
    return Till.of(world)


def test_without_a_body_everything_is_captured(till: Till) -> None:
    payment_id = till.held(10000)

    answer = till.capture(payment_id)

    assert answer.status_code == 200
    assert (answer.json["id"], answer.json["status"]) == (payment_id, "completed")
    assert (answer.json["amount_captured"], answer.json["amount_capturable"]) == (10000, 0)
    assert till.sums(payment_id) == (10000, 0, 0, 0)
    assert till.world.bank.total_minor == 10000
    assert till.events(payment_id)[-2:] == ["capture.requested", "payment.completed"]


def test_parts_until_nothing_is_left(till: Till) -> None:
    payment_id = till.held(10000)

    answers = [till.capture(payment_id, amount=amount) for amount in (1000, 2000, 7000)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.json["status"] for answer in answers] == [
        "partially_captured",
        "partially_captured",
        "completed",
    ]
    assert [answer.json["amount_capturable"] for answer in answers] == [9000, 7000, 0]
    assert till.world.bank.total_minor == 10000
