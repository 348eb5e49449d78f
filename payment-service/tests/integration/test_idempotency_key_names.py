"""Names of stored requests: HMACs, by which what was stored under older keys is found as well."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from payment_service.controllers.idempotency import key_hash
from payment_service.controllers.request import EXTENSION
from payment_service.domain.idempotency_keys import Earlier, IdempotentRequest, begin_key
from payment_service.errors import KeyInProgress
from payment_service.extensions import db
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.merchant import Merchant
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from service_kit.clock import utc_now

from tests.testkit.payments.access import A_PAYMENT, Shop, open_shop
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.world import World

NOW = utc_now()
LEASE = timedelta(seconds=30)
PATH = "/v1/payments"
KEY = "order-1017-attempt-1"


def know(world: World, present: str, *old: str) -> None:
    """Let the service have been started with these keys."""
    config = replace(
        world.dependencies.config,
        card_fingerprint_key=present.encode(),
        card_fingerprint_old_keys=tuple(key.encode() for key in old),
    )
    world.app.extensions[EXTENSION] = replace(world.dependencies, config=config)


def pay(world: World, shop: Shop, amount: int = 19_999) -> Answer:
    body = {**A_PAYMENT, "amount": amount, "confirm": True, "card": V1_CARD}
    return shop.post(world, PATH, body, key=KEY)


def names(world: World, shop: Shop) -> Mapping[str, str]:
    """Return what each name of the request is called."""
    merchant_id = world.all(Merchant, public_id=shop.merchant_id)[0].id
    named = (merchant_id, "POST", PATH, KEY)
    return {key_hash(*named, key.encode()): key for key in ("first", "second")}


def stored(world: World, shop: Shop) -> set[str]:
    known = names(world, shop)
    return {known[row.key_hash] for row in world.all(IdempotencyKey)}


def assert_paid_once(world: World, first: Answer, again: Answer) -> None:
    assert first.status_code == 201
    assert (again.status_code, again.text) == (201, first.text)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(world.all(Payment, surface="v1")) == len(world.all(PaymentAttempt)) == 1
    assert sum(world.bank.taken_minor.values()) == 19_999


def test_a_key_is_stored_as_an_hmac(world: World) -> None:
    know(world, "first")
    shop = open_shop(world)

    assert pay(world, shop).status_code == 201

    assert stored(world, shop) == {"first"}


# The keys of the process that is asked first, and of the one that is asked then: a roll-out, both ways.
ROLL_OUT = [("first",), ("first", "second"), ("second", "first")]
STEPS = [*pairwise(ROLL_OUT), *pairwise(reversed(ROLL_OUT))]


@pytest.mark.parametrize(("one", "other"), [*STEPS, (("first",), ("second", "first"))])
def test_while_the_key_changes_a_repeat_is_answered_whichever_process_it_reaches(
    world: World, one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    shop = open_shop(world)
    know(world, *one)
    first = pay(world, shop)
    assert stored(world, shop) == set(one)

    know(world, *other)

    assert_paid_once(world, first, pay(world, shop))
    refused = pay(world, shop, amount=1)
    assert (refused.status_code, refused.json["code"]) == (422, "idempotency_key_reused")


@pytest.fixture
def merchant_id(world: World) -> int:
    return world.all(Merchant, public_id="mer_lab")[0].id


def start(world: World, asked: IdempotentRequest, thing: str) -> Earlier | None:
    with world.app.app_context():
        return db.in_transaction(lambda session: begin_key(session, asked, thing, NOW, LEASE))


def _at_once(world: World, requests: list[IdempotentRequest]) -> list[object]:
    all_start = threading.Barrier(len(requests))
    results: list[object] = []

    def one(number: int) -> None:
        all_start.wait()
        try:
            results.append(start(world, requests[number], f"thing_{number}"))
        except KeyInProgress as told:
            results.append(type(told))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_old_and_new_processes_that_are_asked_at_once_one_executes(world: World, merchant_id: int) -> None:
    for number in range(5):
        fingerprint, name = "f" * 64, f"{number}" * 64
        old = IdempotentRequest(merchant_id, name, fingerprint)
        new = IdempotentRequest(merchant_id, f"{number}a" * 32, fingerprint, old_hashes=(name,))

        results = _at_once(world, [old, new] * 4)

        assert results.count(None) == 1
        assert results.count(KeyInProgress) == 7


@pytest.fixture
def begun_by_an_old_process(world: World, merchant_id: int) -> Iterator[threading.Event]:
    """Have a request of a process with the older key written and not committed, until the event is set."""
    is_written, may_commit = threading.Event(), threading.Event()
    old = IdempotentRequest(merchant_id, "b" * 64, "f" * 64)

    def work() -> None:
        with world.app.app_context():
            session = db.session()
            begin_key(session, old, "thing_old", NOW, LEASE)
            is_written.set()
            may_commit.wait(10)
            session.commit()

    thread = threading.Thread(target=work)
    thread.start()
    assert is_written.wait(10)
    yield may_commit
    may_commit.set()
    thread.join()


@pytest.mark.engines("mariadb", "mysql")
def test_what_an_old_process_is_just_storing_is_waited_for(
    world: World, merchant_id: int, begun_by_an_old_process: threading.Event
) -> None:
    new = IdempotentRequest(merchant_id, "a" * 64, "f" * 64, old_hashes=("b" * 64,))
    results: list[object] = []

    def ask() -> None:
        try:
            results.append(start(world, new, "thing_new"))
        except KeyInProgress as told:
            results.append(type(told))

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(0.3)
    assert results == []  # it waits for the other's COMMIT
    begun_by_an_old_process.set()
    asking.join()

    assert results == [KeyInProgress]
    assert [row.resource_id for row in world.all(IdempotencyKey)] == ["thing_old"]
