"""Disputes: applied once, in whatever order the bank's events arrive, with their money and their books."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest
from payment_service.audit.findings import Findings
from payment_service.audit.payments import verify_payments
from payment_service.commands.webhooks.settle_inbox import settle_message
from payment_service.models.dispute import Dispute
from payment_service.models.ledger import LedgerEntry
from payment_service.models.message import InboxMessage
from payment_service.models.movement import PaymentAttempt, Refund
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.providers.port import Outcome, ProviderResult
from service_kit.jobs.queue import Done, Failed
from sqlalchemy.orm import Session

from tests.testkit.payments.access import bearer, new_client, open_shop
from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.scripted.sales import lose_request
from tests.testkit.payments.webhooks import event_body, make_due, outcomes, send, settle_inbox
from tests.testkit.payments.world import World

AMOUNT = 399_998


def paid(world: World) -> PaymentAttempt:
    payment_id = world.create(AMOUNT / 100)
    assert world.pay(payment_id).status_code == 200
    return world.attempt(payment_id)


def tell(world: World, attempt: PaymentAttempt, status: str, dispute: str = "dsp_1", **changes: Any) -> None:
    """Let the bank say it, and the worker settle it."""
    data = {
        "dispute_id": dispute,
        "original_request_id": attempt.public_id,
        "amount_minor": AMOUNT,
        "currency": "MAD",
        "reason": "fraudulent",
        "status": status,
        **changes,
    }
    suffix = "_".join(str(value) for value in changes.values())
    send(world, f"evt_{dispute}_{status}_{suffix}", event_body(f"dispute.{status}", **data))
    settle_inbox(world)


def sums(world: World, attempt: PaymentAttempt) -> tuple[int, int, int]:
    payment = world.payment(attempt.payment_id)
    return payment.disputed_minor, payment.charged_back_minor, payment.refundable_minor


def books(world: World) -> dict[str, int]:
    """The balance of each account."""
    balance: dict[str, int] = {}
    for entry in world.all(LedgerEntry):
        balance[entry.account] = balance.get(entry.account, 0) + entry.amount_minor
    return {account: amount for account, amount in balance.items() if amount}


def events(world: World, attempt: PaymentAttempt) -> list[str]:
    return [kind for kind in world.events(attempt.payment_id) if kind.startswith(("dispute", "movement"))]


def change_payment(world: World, attempt: PaymentAttempt, **values: int) -> None:
    def work(session: Session) -> None:
        payment = session.get_one(Payment, attempt.payment_id)
        for name, value in values.items():
            setattr(payment, name, value)

    world.change(work)


BOOKS_WHEN_PAID = {"provider_receivable": AMOUNT, "merchant_payable": -AMOUNT}


def test_an_opened_dispute_takes_the_money_from_the_merchant_until_it_is_decided(world: World) -> None:
    attempt = paid(world)

    tell(world, attempt, "opened")

    (dispute,) = world.all(Dispute)
    assert (dispute.status, dispute.amount_minor, dispute.reason) == ("opened", AMOUNT, "fraudulent")
    assert dispute.public_id.startswith("dp_")
    assert dispute.closed_at is None
    assert sums(world, attempt) == (AMOUNT, 0, 0)
    assert books(world) == {"provider_receivable": AMOUNT, "disputes": -AMOUNT}
    (event,) = world.all(PaymentEvent, type="dispute.opened")
    told = json.loads(event.body)
    assert told["actor"] == "provider:bank-simulator"
    assert told["data"]["dispute"] == dispute.public_id
    assert told["data"]["amount_minor"] == AMOUNT


ENDS: Mapping[str, tuple[tuple[int, int, int], dict[str, int]]] = {
    "won": ((0, 0, AMOUNT), BOOKS_WHEN_PAID),
    "lost": ((0, AMOUNT, 0), {}),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("order", sorted(set(permutations(("opened", "opened", "end", "end")))), ids="-".join)
def test_any_order_and_number_of_arrivals_ends_the_same(
    world: World, end: str, order: tuple[str, ...]
) -> None:
    attempt = paid(world)

    for number, step in enumerate(order):  # each time as an event of its own, and each of these twice
        status = end if step == "end" else "opened"
        for _ in range(2):
            tell(world, attempt, status, reason=f"reason{number}")

    (dispute,) = world.all(Dispute)
    assert dispute.status == end
    assert dispute.closed_at is not None
    assert (sums(world, attempt), books(world)) == ENDS[end]
    assert events(world, attempt) == ["dispute.opened", f"dispute.{end}"]
    assert set(outcomes(world).values()) == {"applied"}
    assert len(world.all(LedgerEntry)) == 6


def test_several_disputes_of_one_payment_add_up_to_what_was_captured(world: World) -> None:
    attempt = paid(world)
    tell(world, attempt, "lost", "dsp_1", amount_minor=100_000)
    tell(world, attempt, "opened", "dsp_2", amount_minor=299_998)
    assert sums(world, attempt) == (299_998, 100_000, 0)

    tell(world, attempt, "opened", "dsp_3", amount_minor=1)

    assert sums(world, attempt) == (299_998, 100_000, 0)
    assert len(world.all(Dispute)) == 2
    assert outcomes(world)["evt_dsp_3_opened_1"] == "amount_differs"
    assert events(world, attempt)[-1] == "movement.amount_differs"


@pytest.mark.parametrize("change", [{"amount_minor": AMOUNT + 1}, {"currency": "EUR"}])
@pytest.mark.parametrize("status", ["opened", "won", "lost"])
def test_more_than_was_captured_changes_nothing_and_is_told(
    world: World, status: str, change: dict[str, Any]
) -> None:
    attempt = paid(world)

    tell(world, attempt, status, **change)

    assert world.all(Dispute) == []
    assert books(world) == BOOKS_WHEN_PAID
    assert sums(world, attempt) == (0, 0, AMOUNT)
    assert events(world, attempt) == ["movement.amount_differs"]


@pytest.mark.parametrize("change", [{"amount_minor": 1}, {"currency": "EUR"}])
def test_an_end_with_another_amount_changes_nothing_and_is_told(world: World, change: dict[str, Any]) -> None:
    attempt = paid(world)
    tell(world, attempt, "opened")

    tell(world, attempt, "lost", **change)

    assert world.all(Dispute)[0].status == "opened"
    assert sums(world, attempt) == (AMOUNT, 0, 0)
    assert events(world, attempt) == ["dispute.opened", "movement.amount_differs"]


def test_an_end_after_another_end_changes_nothing_and_is_told(world: World) -> None:
    attempt = paid(world)
    tell(world, attempt, "won")

    tell(world, attempt, "lost")

    assert world.all(Dispute)[0].status == "won"
    assert (sums(world, attempt), books(world)) == ENDS["won"]
    assert events(world, attempt)[-1] == "dispute.contradicted"
    assert outcomes(world)["evt_dsp_1_lost_"] == "contradicted"


def test_a_dispute_that_names_another_payment_changes_neither(world: World) -> None:
    first, second = paid(world), paid(world)
    tell(world, first, "opened")

    tell(world, second, "lost", reason="x")

    assert sums(world, first) == (AMOUNT, 0, 0)
    assert sums(world, second) == (0, 0, AMOUNT)
    assert events(world, second) == ["movement.amount_differs"]


def test_a_dispute_of_what_nobody_knows_is_marked(world: World) -> None:
    attempt = paid(world)

    tell(world, attempt, "opened", original_request_id="att_nobody")

    assert set(outcomes(world).values()) == {"unknown_request"}
    assert world.all(Dispute) == []


def test_a_capture_can_be_disputed_by_its_own_id(world: World) -> None:
    attempt = paid(world)
    capture_id = f"cap_{attempt.public_id.removeprefix('att_')}"

    tell(world, attempt, "opened", original_request_id=capture_id)

    assert sums(world, attempt) == (AMOUNT, 0, 0)


def test_a_sale_that_we_do_not_know_the_end_of_is_asked_about_first(world: World) -> None:
    world.bank.script = [lose_request]
    payment_id = world.create(AMOUNT / 100)
    assert world.pay(payment_id).status_code == 202
    attempt = world.attempt(payment_id)
    world.bank.is_away = True

    tell(world, attempt, "opened")  # the bank is away when asked: not yet

    assert outcomes(world) == {"evt_dsp_1_opened_": None}
    world.bank.is_away = False
    world.bank.remember(attempt.public_id, ProviderResult(Outcome.APPROVED))
    make_due(world)
    assert settle_inbox(world) == [Done()]
    assert world.payment(payment_id).is_paid
    assert sums(world, attempt) == (AMOUNT, 0, 0)


def test_while_a_capture_is_under_way_a_dispute_waits_for_whether_it_fits(world: World) -> None:
    attempt = paid(world)
    change_payment(world, attempt, captured_minor=AMOUNT - 1, capturing_minor=1)

    tell(world, attempt, "opened")
    make_due(world)
    (waiting,) = settle_inbox(world)
    assert isinstance(waiting, Failed)
    assert world.all(Dispute) == []

    change_payment(world, attempt, captured_minor=AMOUNT, capturing_minor=0)
    make_due(world)
    settle_inbox(world)
    assert sums(world, attempt) == (AMOUNT, 0, 0)


def test_one_that_was_won_takes_no_room(world: World) -> None:
    attempt = paid(world)
    tell(world, attempt, "lost", "dsp_1")  # the bank had decided another one for the merchant before

    tell(world, attempt, "opened", "dsp_2")
    assert len(world.all(Dispute)) == 1
    tell(world, attempt, "won", "dsp_2")

    assert [dispute.status for dispute in world.all(Dispute)] == ["lost", "won"]
    assert sums(world, attempt) == (0, AMOUNT, 0)


# What the merchant is shown of a payment of 10,000 that was refunded whole: its status, and the balance.
AFTER_A_REFUND: Mapping[tuple[str, ...], tuple[str, dict[str, int]]] = {
    ("opened",): ("disputed", {"available": -10_000, "disputes": 10_000, "provider_receivable": 0}),
    ("opened", "won"): ("refunded", {"available": 0, "disputes": 0, "provider_receivable": 0}),
    ("opened", "lost"): (
        "charged_back",
        {"available": -10_000, "disputes": 0, "provider_receivable": -10_000},
    ),
    ("lost",): ("charged_back", {"available": -10_000, "disputes": 0, "provider_receivable": -10_000}),
}


@pytest.mark.parametrize("statuses", AFTER_A_REFUND, ids="-".join)
def test_a_dispute_after_a_full_refund_is_seen_and_the_books_say_who_owes_whom(
    world: World, statuses: tuple[str, ...]
) -> None:
    seller = TestMerchant.of(world)
    payment = seller.taken(10_000)
    attempt = world.attempt(seller.payment(payment).id)
    assert seller.refund(payment).status_code == 201

    for status in statuses:
        tell(world, attempt, status, amount_minor=10_000)

    status, balance = AFTER_A_REFUND[statuses]
    (dispute,) = seller.get(f"/v1/disputes?payment={payment}").json["data"]
    assert (dispute["status"], dispute["amount"]) == (statuses[-1], 10_000)
    assert set(outcomes(world).values()) == {"applied"}
    assert events(world, attempt)[-1] == f"dispute.{statuses[-1]}"
    listed = seller.get(f"/v1/events?type=dispute.{statuses[-1]}").json["data"]
    assert [event["data"]["dispute"] for event in listed] == [dispute["id"]]
    assert seller.get(f"/v1/payments/{payment}").json["status"] == status
    (found,) = seller.get("/v1/balance").json["balances"]
    assert found == {"currency": "MAD", "refunds_in_transit": 0, **balance}
    refused = seller.refund(payment, amount=1)
    assert (refused.status_code, refused.json["largest_amount"]) == (422, 0)
    findings = Findings()
    with world.app.app_context():
        verify_payments(findings, lambda _: None)
    assert findings.differences == []


def test_merchants_see_their_own_disputes(world: World) -> None:
    client = bearer(world, new_client(world, "mer_lab"))
    attempts = [paid(world) for _ in range(3)]
    for number, attempt in enumerate(attempts):
        tell(world, attempt, "lost" if number == 1 else "opened", f"dsp_{number}")
    stored = world.all(Dispute)

    def listed(query: str = "") -> list[str]:
        answer = world.client.get(f"/v1/disputes{query}", headers=client)
        assert answer.status_code == 200, answer.text
        return [dispute["id"] for dispute in answer.json["data"]]

    first, second, third = (dispute.public_id for dispute in stored)
    shown = world.client.get(f"/v1/disputes/{second}", headers=client).json
    payment = world.payment(attempts[1].payment_id)
    assert {name: shown[name] for name in ("id", "object", "payment", "amount", "currency", "status")} == {
        "id": second,
        "object": "dispute",
        "payment": payment.public_id,
        "amount": AMOUNT,
        "currency": "MAD",
        "status": "lost",
    }
    assert shown["closed_at"].endswith("Z")
    assert listed() == [third, second, first]
    assert listed("?status=opened") == [third, first]
    assert listed(f"?payment={payment.public_id}") == [second]
    assert listed(f"?limit=1&starting_after={third}") == [second]
    world.clock.advance(61)  # going forwards, what is young is not shown yet
    assert listed(f"?ending_before={second}") == [third]

    other = open_shop(world).bearer
    assert world.client.get(f"/v1/disputes/{second}", headers=other).status_code == 404
    assert world.client.get("/v1/disputes", headers=other).json["data"] == []
    assert world.client.get(f"/v1/disputes?payment={payment.public_id}", headers=other).json["data"] == []
    for path in ("/v1/disputes/dp_nobody", "/v1/disputes/é", f"/v1/disputes/{payment.public_id}"):
        assert world.client.get(path, headers=client).status_code == 404
    for query in ("?status=gone", "?payment=%C3%A9", "?limit=0"):
        assert world.client.get(f"/v1/disputes{query}", headers=client).status_code == 400


def test_workers_that_settle_all_events_of_a_dispute_at_one_moment_apply_it_once(world: World) -> None:
    attempt = paid(world)
    data = {"dispute_id": "dsp_1", "original_request_id": attempt.public_id, "amount_minor": AMOUNT}
    for number in range(4):
        for status in ("opened", "lost"):
            body = event_body(f"dispute.{status}", **data, currency="MAD")
            send(world, f"evt_{status}_{number}", body)
    messages = world.all(InboxMessage)

    def settle(message: InboxMessage) -> object:
        with world.app.app_context():
            return settle_message(message, world.dependencies)

    with ThreadPoolExecutor(8) as pool:  # each twice, as when a lease ran out
        results = list(pool.map(settle, [*messages, *messages]))

    assert results == [Done()] * 16
    assert (sums(world, attempt), books(world)) == ENDS["lost"]
    assert events(world, attempt) == ["dispute.opened", "dispute.lost"]


def test_what_is_disputed_or_lost_cannot_be_refunded(world: World) -> None:
    seller = TestMerchant.of(world)
    payment = seller.taken(10_000)
    attempt = world.attempt(seller.payment(payment).id)
    tell(world, attempt, "opened", "dsp_1", amount_minor=6_000)
    tell(world, attempt, "lost", "dsp_2", amount_minor=1_000)

    refused = seller.refund(payment, amount=3_001)
    assert (refused.status_code, world.bank.refunds) == (422, [])
    assert seller.refund(payment, amount=3_000).status_code == 201

    tell(world, attempt, "won", "dsp_1", amount_minor=6_000)
    rest = seller.refund(payment)
    assert (rest.status_code, rest.json["amount"]) == (201, 6_000)
    assert sums(world, attempt) == (0, 1_000, 0)
    assert books(world) == {}


@pytest.mark.parametrize("end", [Outcome.APPROVED, Outcome.DECLINED])
def test_a_dispute_waits_for_no_refund(world: World, end: Outcome) -> None:
    seller = TestMerchant.of(world)
    payment = seller.taken(10_000)
    attempt = world.attempt(seller.payment(payment).id)
    world.bank.is_slow = True
    assert seller.refund(payment, amount=1).status_code == 202
    (refund,) = world.all(Refund)

    tell(world, attempt, "opened", amount_minor=10_000)
    assert len(world.all(Dispute)) == 1
    world.bank.settle(refund.public_id, ProviderResult(end))
    send(
        world,
        "evt_refund",
        event_body(
            "refund.updated", request_id=refund.public_id, status=end.value, amount_minor=1, currency="MAD"
        ),
    )
    settle_inbox(world)

    assert sums(world, attempt) == (10_000, 0, -1 if end is Outcome.APPROVED else 0)
    assert set(outcomes(world).values()) == {"applied"}


@pytest.mark.parametrize(
    ("statuses", "shown"),
    [
        (("opened",), ("disputed", 4_000)),
        (("opened", "won"), ("completed", 0)),
        (("lost",), ("charged_back", 0)),
    ],
)
def test_a_payment_shows_that_it_is_disputed(
    world: World, statuses: tuple[str, ...], shown: tuple[str, int]
) -> None:
    seller = TestMerchant.of(world)
    payment = seller.taken(10_000)
    attempt = world.attempt(seller.payment(payment).id)

    for status in statuses:
        tell(world, attempt, status, amount_minor=4_000)

    answer = seller.get(f"/v1/payments/{payment}").json
    assert (answer["status"], answer["amount_disputed"]) == shown
    timeline = [event["type"] for event in seller.get(f"/v1/payments/{payment}/events").json["data"]]
    assert f"dispute.{statuses[-1]}" in timeline


def test_a_disputed_payment_of_which_more_can_be_captured_shows_that_it_can(world: World) -> None:
    seller = TestMerchant.of(world)
    payment = seller.held(10_000)
    seller.capture(payment, amount=4_000)
    attempt = world.attempt(seller.payment(payment).id)

    tell(world, attempt, "opened", amount_minor=4_000)

    shown = seller.get(f"/v1/payments/{payment}").json
    assert (shown["status"], shown["amount_disputed"]) == ("partially_captured", 4_000)
    assert shown["amount_capturable"] == 6_000
