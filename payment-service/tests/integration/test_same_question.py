"""Whoever asks to pay while another request is at work on the payment waits, and is answered like it."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from threading import BoundedSemaphore, Semaphore
from typing import Any, cast
from unittest.mock import patch

import pytest
from payment_service.app import new_dependencies
from payment_service.config import Config, TimeLimits
from payment_service.controllers.request import EXTENSION
from payment_service.extensions import db
from payment_service.processing import waiting
from payment_service.providers.port import ProviderCharge, ProviderResult
from service_kit.web import standard_app
from sqlalchemy.pool import QueuePool

from tests.testkit.payments.access import open_shop
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.config import PATIENT
from tests.testkit.payments.consistency import assert_all_is_true
from tests.testkit.payments.scripted.bank import SaleBehaviour, ScriptedBank
from tests.testkit.payments.scripted.sales import (
    approve,
    challenge,
    decline,
    lose_request,
    refuse_connection,
)
from tests.testkit.payments.world import World, world_on

VISA, MASTERCARD = "4242424242424242", "5555555555554444"
MORE_CARDS = ("4000056655665556", "5200828282828210", "378282246310005", "6011111111111117")
PATIENCE_S = 60
LIMITS = replace(PATIENT, repeat_wait_s=PATIENCE_S)
Pay = Callable[[str], Answer]


class WatchedPlaces(BoundedSemaphore):
    """Places for those who wait, and a count of those who took one."""

    def __init__(self, places: int) -> None:
        super().__init__(places)
        self.taken = Semaphore(0)

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take a place."""
        is_taken = super().acquire(blocking, timeout)
        if is_taken:
            self.taken.release()
        return is_taken


class ProcessDied(BaseException):
    """Nothing of the request goes on after this."""


@dataclass
class RequestsAtOnce:
    """A world in which whoever comes second waits for whoever came first."""

    world: World
    places: WatchedPlaces
    answers: list[Answer] = field(default_factory=list)

    def pay_at_once(
        self, first: Callable[[], Answer], others: Sequence[Callable[[], Answer]], behave: SaleBehaviour
    ) -> Answer:
        """Let ``others`` come while the bank has the charge of ``first``, and wait; then let it answer."""
        with ThreadPoolExecutor(len(others)) as threads:
            coming: list[Any] = []

            def meanwhile(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
                coming.extend(threads.submit(other) for other in others)
                for _ in others:
                    assert self.places.taken.acquire(timeout=PATIENCE_S)
                return behave(bank, request)

            self.world.bank.script.insert(0, meanwhile)
            answer = first()
            self.answers = [other.result() for other in coming]
        return answer


@contextmanager
def waiting_in(world: World, places: int = 8, limits: TimeLimits = LIMITS) -> Iterator[RequestsAtOnce]:
    watched = WatchedPlaces(places)
    world.config = replace(world.config, limits=limits)
    world.app.extensions[EXTENSION] = replace(world.dependencies, config=world.config, waiting_places=watched)
    yield RequestsAtOnce(world, watched)


@pytest.fixture
def at_once(world: World) -> Iterator[RequestsAtOnce]:
    with waiting_in(world) as at_once:
        yield at_once


def by_json(world: World) -> Pay:
    payment_id = world.create()

    def pay(number: str) -> Answer:
        return world.pay(payment_id, {"cardNumber": number, "cardCode": 123, "expirationDate": "2031-12"})

    return pay


def _by_form(world: World, path: str) -> Pay:
    def pay(number: str) -> Answer:
        form = {"cardNumber": number, "expirationDate": "12/31", "cardCode": "123", "email": ""}
        # Another window each time, with a form of its own.
        return world.client.post(path, data={**form, "form_key": secrets.token_hex(16)})

    return pay


def by_lab_page(world: World) -> Pay:
    return _by_form(world, f"/payments/process/{world.create()}")


def by_checkout(world: World) -> Pay:
    url: str = open_shop(world).create(world).json["checkout_url"]
    return _by_form(world, url.removeprefix(world.config.public_base_url))


def by_confirm(world: World) -> Pay:
    shop = open_shop(world)
    payment_id = shop.create(world).json["id"]

    def pay(number: str) -> Answer:
        headers = {**shop.bearer, "Idempotency-Key": secrets.token_hex(16)}
        body = {"card": {**V1_CARD, "number": number}}
        return world.client.post(f"/v1/payments/{payment_id}/confirm", json=body, headers=headers)

    return pay


every_way = pytest.mark.parametrize("way", [by_json, by_lab_page, by_checkout, by_confirm])
every_json_way = pytest.mark.parametrize("way", [by_json, by_confirm])


def said(answer: Answer) -> Mapping[str, Any]:
    """Return a JSON answer without what is the request's own."""
    return {name: value for name, value in answer.json.items() if name not in {"request_id", "instance"}}


@every_way
def test_the_same_card_gets_the_approval_of_the_first(
    at_once: RequestsAtOnce, way: Callable[[World], Pay]
) -> None:
    pay = way(at_once.world)

    first = at_once.pay_at_once(lambda: pay(VISA), [lambda: pay(VISA)] * 3, approve)

    assert [answer.status_code for answer in (first, *at_once.answers)] == [200] * 4
    assert len(at_once.world.bank.sales) == 1
    assert_all_is_true(at_once.world)


@every_way
def test_the_same_card_gets_the_decline_of_the_first(
    at_once: RequestsAtOnce, way: Callable[[World], Pay]
) -> None:
    pay = way(at_once.world)

    first = at_once.pay_at_once(lambda: pay(VISA), [lambda: pay(VISA)] * 3, decline("insufficient_funds"))

    assert [answer.status_code for answer in (first, *at_once.answers)] == [402] * 4
    assert len(at_once.world.bank.sales) == 1
    # Asked again now, and not at once, it is a new question.
    assert pay(VISA).status_code == 200


@every_json_way
@pytest.mark.parametrize(
    ("behave", "status"),
    [
        (approve, 200),
        (decline("lost_card"), 402),
        (challenge, 202),
        (refuse_connection, 502),
        (lose_request, 202),
    ],
)
def test_the_answer_says_the_same(
    at_once: RequestsAtOnce, way: Callable[[World], Pay], behave: SaleBehaviour, status: int
) -> None:
    pay = way(at_once.world)

    first = at_once.pay_at_once(lambda: pay(VISA), [lambda: pay(VISA)], behave)

    (second,) = at_once.answers
    assert (first.status_code, second.status_code) == (status, status)
    assert said(second) == said(first)
    assert second.headers.get("Retry-After") == first.headers.get("Retry-After")
    assert len(at_once.world.bank.sales) == 1


@every_way
def test_another_card_is_paid_by_the_first_one(at_once: RequestsAtOnce, way: Callable[[World], Pay]) -> None:
    pay = way(at_once.world)

    first = at_once.pay_at_once(lambda: pay(VISA), [lambda: pay(MASTERCARD)], approve)

    assert [answer.status_code for answer in (first, *at_once.answers)] == [200] * 2
    assert len(at_once.world.bank.sales) == 1


@every_way
def test_another_card_is_tried_when_the_first_one_was_declined(
    at_once: RequestsAtOnce, way: Callable[[World], Pay]
) -> None:
    pay = way(at_once.world)

    first = at_once.pay_at_once(lambda: pay(VISA), [lambda: pay(MASTERCARD)], decline("do_not_honor"))

    assert [answer.status_code for answer in (first, *at_once.answers)] == [402, 200]
    assert [sale.card.pan for sale in at_once.world.bank.sales] == [VISA, MASTERCARD]
    assert_all_is_true(at_once.world)


@every_json_way
def test_cards_are_tried_one_after_another_and_each_once(
    at_once: RequestsAtOnce, way: Callable[[World], Pay]
) -> None:
    pay = way(at_once.world)
    cards = [VISA, VISA, MASTERCARD, MASTERCARD, *MORE_CARDS]
    at_once.world.bank.script = [decline("do_not_honor"), decline("do_not_honor")]

    first = at_once.pay_at_once(
        lambda: pay(VISA), [partial(pay, card) for card in cards], decline("do_not_honor")
    )

    tried = [sale.card.pan for sale in at_once.world.bank.sales]
    assert len(tried) == len(set(tried)) == 4  # three declines, and one that paid
    by_card = {card: set[int]() for card in cards}
    for card, answer in zip((VISA, *cards), (first, *at_once.answers), strict=True):
        by_card[card].add(answer.status_code)
    declined, paid = tried[:3], tried[3]
    assert first.status_code == 402
    # Whoever looks when it is paid already is told that, whatever came of its own card.
    assert all(by_card[card] <= {402, 200} for card in declined)
    assert all(by_card[card] == {200} for card in by_card if card not in declined)
    assert by_card[paid] == {200}
    assert_all_is_true(at_once.world)


@every_json_way
def test_so_many_wait_and_no_more(world: World, way: Callable[[World], Pay]) -> None:
    beyond: list[Answer] = []
    with waiting_in(world, places=2) as at_once:
        pay = way(world)

        def behave(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
            beyond.append(world.in_other_thread(lambda: pay(VISA)))
            return approve(bank, request)

        at_once.pay_at_once(lambda: pay(VISA), [lambda: pay(VISA)] * 2, behave)

    assert [answer.status_code for answer in at_once.answers] == [200] * 2
    assert (beyond[0].status_code, beyond[0].json["code"]) == (409, "payment_busy")
    assert int(beyond[0].headers["Retry-After"]) >= 1
    # Whoever waited has left: the next ones find a place.
    assert all(at_once.places.acquire(blocking=False) for _ in range(2))


@pytest.mark.parametrize(("threads", "places"), [(32, 8), (80, 20), (6, 1), (1, 1)])
def test_a_quarter_of_the_threads_may_wait(world: World, threads: int, places: int) -> None:
    free = new_dependencies(replace(world.config, web_threads=threads)).waiting_places

    assert [free.acquire(blocking=False) for _ in range(places + 1)] == [True] * places + [False]


@every_json_way
def test_those_that_wait_hold_no_connection(config: Config, way: Callable[[World], Pay]) -> None:
    options = vars(standard_app)["engine_options"]

    def one_connection(url: str) -> dict[str, Any]:
        pool = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": PATIENCE_S}
        return {**options(url), **pool}

    with (
        patch.dict(vars(standard_app), engine_options=one_connection),
        world_on(config) as world,
        waiting_in(world) as at_once,
    ):
        pay = way(world)
        with world.app.app_context():
            assert cast(QueuePool, db.engine.pool).size() == 1

        first = at_once.pay_at_once(lambda: pay(VISA), [lambda: pay(VISA)] * 6, approve)

    assert [answer.status_code for answer in (first, *at_once.answers)] == [200] * 7


@every_json_way
def test_the_wait_for_a_process_that_died_ends_in_time(world: World, way: Callable[[World], Pay]) -> None:
    limits = replace(LIMITS, repeat_wait_s=7.0, send_within_s=2.0, processing_s=8.0)

    def die(_bank: ScriptedBank, _request: ProviderCharge) -> ProviderResult:
        raise ProcessDied

    with waiting_in(world, limits=limits):
        pay = way(world)
        world.bank.script = [die]
        with pytest.raises(ProcessDied):
            pay(VISA)
        began = world.clock.now()
        with world.clock.running(waiting):
            answer = pay(VISA)
        waited_s = (world.clock.now() - began).total_seconds()

    assert (answer.status_code, answer.json["code"]) == (409, "payment_busy")
    assert 1 <= int(answer.headers["Retry-After"]) <= 2
    assert 6 <= waited_s <= 8
    assert len(world.bank.sales) == 1


@every_json_way
def test_another_card_that_waited_too_long_is_not_tried(world: World, way: Callable[[World], Pay]) -> None:
    with waiting_in(world, limits=replace(LIMITS, send_within_s=2.0)) as at_once:
        pay = way(world)

        def behave(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
            world.clock.advance(2.5)
            return decline("do_not_honor")(bank, request)

        at_once.pay_at_once(lambda: pay(VISA), [lambda: pay(MASTERCARD), lambda: pay(VISA)], behave)

    other, same = at_once.answers
    assert (other.status_code, other.json["code"]) == (409, "payment_busy")
    assert other.headers["Retry-After"] == "1"
    assert same.status_code == 402
    assert len(world.bank.sales) == 1


def test_the_same_key_waits_and_is_answered_byte_for_byte(at_once: RequestsAtOnce) -> None:
    world, shop = at_once.world, open_shop(at_once.world)
    payment_id = shop.create(world).json["id"]
    headers = {**shop.bearer, "Idempotency-Key": "one"}
    body = json.dumps({"card": dict(V1_CARD)})

    def confirm() -> Answer:
        return world.client.post(
            f"/v1/payments/{payment_id}/confirm",
            data=body,
            headers=headers,
            content_type="application/json",
        )

    first = at_once.pay_at_once(confirm, [confirm] * 3, decline("lost_card"))

    assert [(answer.status_code, answer.text) for answer in at_once.answers] == [(402, first.text)] * 3
    assert all(answer.headers["Idempotent-Replayed"] == "true" for answer in at_once.answers)
    assert len(world.bank.sales) == 1
