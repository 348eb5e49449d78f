"""Everything that can be asked of the service, over HTTP and of its worker."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.values.statuses import FraudDecision
from payment_service.worker import build_loops

from tests.testkit.payments.access import ask_token, new_client
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.journeys.stage import PLACES, Stage
from tests.testkit.payments.scripted.follow_ups import take_time
from tests.testkit.payments.scripted.sales import decline, lose_request
from tests.testkit.payments.webhooks import dispute_of
from tests.testkit.payments.world import World

_TIMES = {"created_from": "2026-01-01T00:00:00Z", "created_to": "2099-01-01T00:00:00Z"}
# Every list of /v1 with every filter it knows; the words in braces stand for ids of payments.
LISTS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "/v1/payments": (
        {},
        {"status": "completed"},
        {"status": "processing", "older_than": "600"},
        {"order_id": "order-12"},
        {"customer": "customer-12"},
        {"amount_from": "1", "amount_to": "99999999"},
        _TIMES,
    ),
    "/v1/refunds": ({}, {"payment": "{payment}"}),
    "/v1/disputes": ({}, {"payment": "{disputed}"}, {"status": "won"}),
    "/v1/events": ({}, {"type": "payment.completed"}, {"payment": "{payment}"}, _TIMES),
    "/v1/payments/{payment}/events": ({},),
    "/v1/payment-methods": ({}, {"customer": "customer-10"}),
    "/v1/balance/entries": (
        {},
        {"account": "merchant_payable"},
        {"kind": "captured"},
        {"payment": "{payment}"},
        _TIMES,
    ),
}


def play_all(world: World, stage: Stage) -> None:
    """Play every journey: of merchants, of the lab, of payers, of the bank's events, of the worker.

    The lists need the payments of ``testing.bulk``, and the worker what ``leave_open`` left.
    """
    ask_token(world, new_client(world, stage.shop.merchant_id))
    payment = play_merchant(world, stage)
    play_lab(world)
    play_payer(world, stage)
    for path in ("/v1/balance", "/v1/merchant"):
        _read(world, stage, path)
    dispute_of(world, stage.shop.merchant_id)
    dispute = _read(world, stage, "/v1/disputes")["data"][0]
    _read(world, stage, f"/v1/disputes/{dispute['id']}")
    play_lists(world, stage, payment, dispute["payment"])
    play_worker(world)


def play_merchant(world: World, stage: Stage) -> str:
    """Do what a merchant's server does; return the id of a payment that was refunded."""
    method = stage.make(PLACES["payment_method"], {"card": dict(V1_CARD), "customer": {"id": "customer-10"}})
    paying = {"confirm": True, "payment_method": method["id"]}
    request = stage.request(PLACES["payment"], {"amount": 5950, "currency": "MAD", "order_id": "1", **paying})
    paid = request.send(world).json["id"]
    request.send(world)
    world.bank.script.append(decline("do_not_honor"))
    declined = {"amount": 1, "currency": "MAD", "order_id": "1", "confirm": True, "card": dict(V1_CARD)}
    stage.request(PLACES["payment"], declined).send(world)
    stage.make(f"/v1/payments/{stage.payment()}/confirm", {"card": dict(V1_CARD)})
    refund = stage.make(PLACES["refund"], {"payment": paid, "amount": 1})
    held = stage.held()
    stage.make(f"/v1/payments/{held}/capture", {"amount": 1})
    stage.make(f"/v1/payments/{held}/cancel")
    stage.make(f"/v1/payments/{stage.payment()}/cancel")
    stage.make(f"/v1/payments/{stage.in_review()}/approve", {"reason": "known"})
    stage.make(f"/v1/payments/{stage.in_review()}/reject", {"reason": "unknown"})
    stage.make(f"/v1/payments/{stage.challenged()}/cancel")
    stage.make(f"/v1/payment-methods/{method['id']}/detach")
    for path in (
        f"/v1/payments/{paid}",
        f"/v1/refunds/{refund['id']}",
        f"/v1/payment-methods/{method['id']}",
    ):
        _read(world, stage, path)
    return str(paid)


def play_lab(world: World) -> None:
    """Do what Store Manager, Postman and a payer on the lab's page do."""
    for decision in (FraudDecision.APPROVE, FraudDecision.DECLINE):
        world.fraud.script.append(decision)
        payment_id = world.create()
        world.pay(payment_id)
        world.pay(payment_id)
        for path in (f"/payments/{payment_id}", f"/payments/process/{payment_id}"):
            world.client.get(path)


def play_payer(world: World, stage: Stage) -> None:
    """Pay on the page of a merchant's payment, and come back from a bank."""
    public_id = stage.payment()
    (payment,) = world.all(Payment, public_id=public_id)
    world.client.get(f"/checkout/{payment.checkout_token}")
    form = {
        "cardNumber": V1_CARD["number"],
        "cardCode": V1_CARD["cvc"],
        "expirationDate": "2031-12",
        "form_key": "k",
    }
    world.client.post(f"/checkout/{payment.checkout_token}", data=form)
    challenged = stage.challenged()
    (payment,) = world.all(Payment, public_id=challenged)
    (attempt,) = world.all(PaymentAttempt, payment_id=payment.id)
    for method in ("GET", "POST"):
        world.client.open(f"/checkout/3ds/{attempt.return_token}", method=method)


def play_lists(world: World, stage: Stage, payment: str, disputed: str) -> None:
    """Read every list, with every filter, from the newest row and from both sides of a cursor."""
    for path, queries in LISTS.items():
        for query, cursor in product(queries, (None, "starting_after", "ending_before")):
            given = {name: text.format(payment=payment, disputed=disputed) for name, text in query.items()}
            place = path.format(payment=payment)
            if cursor:
                rows = _read(world, stage, place, **given)["data"] or _read(world, stage, place)["data"]
                given[cursor] = rows[-1]["id"]
            _read(world, stage, place, **given)


def leave_open(world: World, stage: Stage) -> None:
    """Leave behind what the worker finds later: a payment and a refund whose outcome nobody knows."""
    world.bank.script.append(lose_request)
    stage.payment(confirm=True, card=dict(V1_CARD))
    paid = stage.payment(confirm=True, card=dict(V1_CARD))
    world.bank.follow_up_script.append(take_time)
    stage.make(PLACES["refund"], {"payment": paid})
    stage.outlast_everybody()


def play_worker(world: World) -> None:
    """Let the worker do one turn of everything."""

    def turn() -> None:
        for loop in build_loops(world.app, world.config):
            loop.turn()

    world.in_other_thread(turn)


def _read(world: World, stage: Stage, path: str, **query: Any) -> Any:
    answer = stage.shop.get(world, path, **query)
    if answer.status_code != 200:
        raise AssertionError(f"{path} {query}: {answer.text}")
    return answer.json
