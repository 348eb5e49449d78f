"""Refunding: never more than was captured, and unknown is never failed."""

from collections.abc import Sequence

import pytest
from payment_service.models.movement import Refund
from payment_service.models.payment import Payment
from payment_service.processing.inquiry import inquire
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.values.money import Money
from sqlalchemy import update

from tests.testkit.payments.access import open_shop
from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.scripted.bank import FollowUpBehaviour
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


def kinds(seller: TestMerchant, payment_id: str) -> Sequence[str]:
    """What the books were told of refunds, one word for both sides."""
    return [entry.kind for entry in seller.entries(payment_id)][2::2]


def test_everything_that_is_left_goes_back(seller: TestMerchant) -> None:
    payment_id = seller.taken(10000)

    answer = seller.refund(payment_id, reason="broken")

    assert answer.status_code == 201
    refund = dict(answer.json)
    assert answer.headers["Location"] == f"/v1/refunds/{refund['id']}"
    assert refund.pop("id").startswith("re_")
    assert refund.pop("created_at").endswith("Z")
    assert refund == {
        "object": "refund",
        "payment": payment_id,
        "amount": 10000,
        "currency": "MAD",
        "status": "succeeded",
        "reason": "broken",
        "failure_code": None,
    }
    assert seller.sums(payment_id) == (10000, 0, 10000, 0)
    assert seller.world.bank.total_minor == 0
    assert seller.events(payment_id)[-2:] == ["refund.requested", "refund.succeeded"]
    assert kinds(seller, payment_id) == ["refund_asked", "refund_done"]
    assert seller.get(f"/v1/payments/{payment_id}").json["status"] == "refunded"


def test_several_parts_and_never_more_than_was_captured(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)
    seller.capture(payment_id, amount=6000)

    answers = [seller.refund(payment_id, amount=amount) for amount in (1000, 2000, 3001, 3000, 1)]

    assert [answer.status_code for answer in answers] == [201, 201, 422, 201, 422]
    assert (answers[2].json["code"], answers[2].json["largest_amount"]) == ("amount_too_large", 3000)
    assert answers[4].json["largest_amount"] == 0
    assert seller.refund(payment_id).json["code"] == "amount_too_large"
    assert seller.sums(payment_id) == (6000, 0, 6000, 0)


@pytest.mark.parametrize("behave", [lose_it, take_time, do_it_and_vanish])
def test_an_open_refund_is_pending_and_counts(seller: TestMerchant, behave: FollowUpBehaviour) -> None:
    payment_id = seller.taken(10000)
    seller.world.bank.follow_up_script = [behave]

    pending = seller.refund(payment_id, amount=6000)
    seller.world.bank.is_away = False
    too_much = seller.refund(payment_id, amount=4001)

    assert (pending.status_code, pending.json["status"]) == (202, "pending")
    assert seller.get(f"/v1/refunds/{pending.json['id']}").json["status"] == "pending"
    assert (too_much.status_code, too_much.json["largest_amount"]) == (422, 4000)
    assert seller.sums(payment_id) == (10000, 0, 0, 6000)
    assert kinds(seller, payment_id) == ["refund_asked"]


@pytest.mark.parametrize(
    ("says", "status", "refunded"), [(APPROVED, "succeeded", 6000), (DECLINED, "failed", 0)]
)
def test_a_pending_refund_ends_when_the_bank_decides(
    seller: TestMerchant, says: ProviderResult, status: str, refunded: int
) -> None:
    payment_id = seller.taken(10000)
    seller.world.bank.follow_up_script = [take_time]
    refund_id = seller.refund(payment_id, amount=6000).json["id"]
    seller.work()
    assert seller.get(f"/v1/refunds/{refund_id}").json["status"] == "pending"

    seller.world.bank.settle(refund_id, says)
    seller.world.age(4000)
    seller.work()

    shown = seller.get(f"/v1/refunds/{refund_id}").json
    assert (shown["status"], shown["failure_code"]) == (status, says.decline_code)
    assert seller.sums(payment_id) == (10000, 0, refunded, 0)
    assert seller.events(payment_id)[-1] == f"refund.{status}"


def test_a_request_that_the_bank_never_got_is_abandoned_and_failed(seller: TestMerchant) -> None:
    payment_id = seller.taken(10000)
    seller.world.bank.follow_up_script = [lose_it]
    refund_id = seller.refund(payment_id).json["id"]

    seller.work()

    assert seller.world.bank.abandoned == [refund_id]
    shown = seller.get(f"/v1/refunds/{refund_id}").json
    assert (shown["status"], shown["failure_code"]) == ("failed", "abandoned")
    assert seller.refund(payment_id).status_code == 201


@pytest.mark.parametrize(
    ("behave", "status_code", "code", "failure_code"),
    [
        (decline_it("do_not_honor"), 402, "refund_declined", "do_not_honor"),
        (refuse_it, 502, "refund_not_sent", "not_sent"),
    ],
)
def test_a_refund_that_was_not_carried_out_gives_its_amount_free(
    seller: TestMerchant, behave: FollowUpBehaviour, status_code: int, code: str, failure_code: str
) -> None:
    payment_id = seller.taken(10000)
    seller.world.bank.follow_up_script = [behave]

    answer = seller.refund(payment_id, amount=6000)

    assert (answer.status_code, answer.json["code"]) == (status_code, code)
    assert answer.content_type == "application/problem+json"
    assert answer.json["refund"]["status"] == "failed"
    assert answer.json["refund"]["failure_code"] == failure_code
    assert seller.sums(payment_id) == (10000, 0, 0, 0)
    assert kinds(seller, payment_id) == ["refund_asked", "refund_failed"]
    assert seller.refund(payment_id, amount=10000).status_code == 201


def test_what_is_disputed_cannot_be_refunded(seller: TestMerchant) -> None:
    payment_id = seller.taken(10000)
    sums = {"disputed_minor": 3000, "charged_back_minor": 2000}
    seller.world.change(
        lambda session: session.execute(update(Payment).where(Payment.public_id == payment_id).values(**sums))
    )

    assert seller.refund(payment_id, amount=5001).json["largest_amount"] == 5000
    assert seller.refund(payment_id).json["amount"] == 5000


def test_of_what_is_only_held_nothing_can_be_refunded(seller: TestMerchant) -> None:
    for payment_id in (seller.create(), seller.held()):
        answer = seller.refund(payment_id)

        assert (answer.status_code, answer.json["code"]) == (409, "wrong_payment_state")


def test_a_result_that_comes_after_the_end_is_told_and_changes_nothing(seller: TestMerchant) -> None:
    payment_id = seller.taken(10000)
    seller.world.bank.follow_up_script = [take_time]
    refund_id = seller.refund(payment_id).json["id"]
    seller.world.bank.settle(refund_id, DECLINED)
    seller.work()
    before = seller.sums(payment_id)

    seller.world.bank.settle(refund_id, APPROVED)
    settle_again(seller)

    assert seller.sums(payment_id) == before == (10000, 0, 0, 0)
    assert seller.events(payment_id)[-2:] == ["refund.failed", "movement.contradicted"]


def test_an_amount_that_differs_changes_nothing(seller: TestMerchant) -> None:
    payment_id = seller.taken(10000)
    seller.world.bank.follow_up_script = [take_time]
    refund_id = seller.refund(payment_id, amount=6000).json["id"]

    seller.world.bank.settle(refund_id, ProviderResult(Outcome.APPROVED, amount=Money(5999, "MAD")))
    seller.work()

    assert seller.sums(payment_id) == (10000, 0, 0, 6000)
    assert seller.events(payment_id)[-1] == "movement.amount_differs"
    assert seller.get(f"/v1/refunds/{refund_id}").json["status"] == "pending"


def test_refunds_are_listed(seller: TestMerchant) -> None:
    first, second = seller.taken(), seller.taken()
    ids = [seller.refund(payment, amount=1).json["id"] for payment in (first, first, second)]
    stranger = TestMerchant(seller.world, open_shop(seller.world, "Stranger"))

    everything = seller.get("/v1/refunds").json
    of_first = seller.get(f"/v1/refunds?payment={first}&limit=1").json
    older = seller.get(f"/v1/refunds?payment={first}&starting_after={of_first['data'][0]['id']}").json

    assert [refund["id"] for refund in everything["data"]] == ids[::-1]
    assert everything["data"][0]["payment"] == second
    assert ([refund["id"] for refund in of_first["data"]], of_first["has_more"]) == ([ids[1]], True)
    assert [refund["id"] for refund in older["data"]] == [ids[0]]
    assert stranger.get("/v1/refunds").json["data"] == []
    assert stranger.get(f"/v1/refunds?payment={first}").status_code == 404
    assert stranger.get(f"/v1/refunds/{ids[0]}").status_code == 404
    assert stranger.refund(first).status_code == 404


def test_a_repeat_refunds_nothing_more(seller: TestMerchant) -> None:
    payment_id = seller.taken(10000)

    first, again = (seller.refund(payment_id, "one", amount=10) for _ in range(2))

    assert (again.status_code, again.text) == (201, first.text)
    assert again.headers["Location"] == first.headers["Location"]
    assert seller.refund(payment_id, "one", amount=11).status_code == 422
    assert seller.sums(payment_id) == (10000, 0, 10, 0)


def settle_again(seller: TestMerchant) -> None:
    """Let somebody ask about refunds that have ended, as a webhook does."""
    (refund,) = seller.world.all(Refund)
    ask = seller.world.dependencies
    seller.world.in_other_thread(lambda: inquire(refund, ask, actor="provider:bank-simulator"))
