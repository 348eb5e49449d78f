"""PCI: after whole journeys, no PAN and no CVV in any cell, log line, outbox row or answer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from payment_service.config import Config
from payment_service.extensions import db
from payment_service.providers.port import ProviderCharge, ProviderResult
from payment_service.values.statuses import FraudDecision
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from tests.testkit.databases.traces import NumberTraces, holds_value
from tests.testkit.payments.access import Shop, open_shop
from tests.testkit.payments.client import Answer
from tests.testkit.payments.scripted.bank import ScriptedBank
from tests.testkit.payments.scripted.sales import decline, lose_answer, lose_request, refuse_connection
from tests.testkit.payments.world import World, world_on

PAN, CVV, SPACED = "5105105105105100", "9071", "5105 1051 0510 5100"
WRONG = PAN[:-1] + "1"
NUMBERS = (NumberTraces(PAN), NumberTraces(WRONG))
CARD: Mapping[str, str] = {"cardNumber": SPACED, "cardCode": CVV, "expirationDate": "2031-12"}
STORED: Mapping[str, Any] = {"number": SPACED, "exp_month": 12, "exp_year": 2031, "cvc": CVV}
KEYS = iter(range(10**9))
JSON = "application/json"


@pytest.fixture
def world(config: Config) -> Iterator[World]:
    with world_on(replace(config, log_level="DEBUG")) as world:
        yield world


def every_cell(app: Flask) -> Iterator[tuple[str, Any]]:
    with app.app_context():
        tables = inspect(db.engine).get_table_names()
        with db.reading() as session:
            for table in tables:
                for row in session.execute(text(f"SELECT * FROM {table}")).mappings():  # noqa: S608  our own tables
                    for column, value in row.items():
                        yield f"{table}.{column}", value


def pay(world: World, **changes: object) -> Answer:
    return world.pay(world.create(), {**CARD, **changes})


def submit(world: World, **changes: str) -> Answer:
    form = {"form_key": "k", "expirationDate": "12/31", "email": "", **changes}
    return world.client.post(f"/payments/process/{world.create()}", data={**CARD, **form})


def break_down(_bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
    raise RuntimeError(f"a defect that tells {request.card.pan} and {request.card}")


def store(world: World, shop: Shop, body: object, url: str = "/v1/payment-methods") -> Answer:
    headers = {**shop.bearer, "Idempotency-Key": f"key-{next(KEYS)}"}
    return world.client.post(url, json=body, headers=headers)


def stored_cards(world: World) -> list[Answer]:
    """Cards that are stored, replayed, refused for many reasons, listed and detached."""
    shop = open_shop(world)
    kept, gone = (store(world, shop, {"card": STORED, "customer": {"id": "7"}}) for _ in range(2))
    assert (kept.status_code, gone.status_code) == (201, 201)
    url = "/v1/payment-methods"
    twice = {**shop.bearer, "Idempotency-Key": "twice"}
    answers = [kept, gone, *(world.client.post(url, json={"card": STORED}, headers=twice) for _ in range(2))]
    bad_cards: list[Any] = [
        {**STORED, "number": WRONG},
        {**STORED, "number": int(PAN)},
        {**STORED, "number": [PAN]},
        {**STORED, "exp_month": PAN},
        {**STORED, "exp_year": int(PAN)},
        {**STORED, "cvc": PAN},
        {**STORED, "cvc": int(CVV)},
        {**STORED, PAN: CVV},
        PAN,
        [PAN, CVV],
    ]
    answers += [store(world, shop, {"card": card}) for card in bad_cards]
    answers += [
        store(world, shop, {"card": STORED, PAN: 1}),
        store(world, shop, {"card": STORED, "customer": {SPACED: 1}}),
        store(world, shop, PAN),
        store(world, shop, None, f"{url}/{PAN}/detach"),
        store(world, shop, None, f"{url}/{gone.json['id']}/detach"),
        world.client.post(url, json={"card": STORED}, headers={"Idempotency-Key": "x"}),
        world.client.post(url, json={"card": STORED}, headers=shop.bearer),
        world.client.post(url, data=f'{{"card": {{"number": "{PAN}"', headers=twice, content_type=JSON),
        world.client.post(url, data=f'{{"{PAN}": 1, "{PAN}": 2}}', headers=twice, content_type=JSON),
        world.client.get(url, headers=shop.bearer),
        world.client.get(f"{url}/{PAN}", headers=shop.bearer),
        world.client.get(f"{url}?limit={PAN}&customer={PAN}&starting_after={PAN}", headers=shop.bearer),
    ]
    with world.losing_commit(1, is_stored=False):
        answers.append(store(world, shop, {"card": STORED}))
    return answers


def journeys(world: World) -> list[Answer]:
    answers = [pay(world), *stored_cards(world)]
    for behaviour in (decline("lost_card"), refuse_connection, lose_answer, lose_request, break_down):
        world.bank.script = [behaviour]
        answers.append(pay(world))
    for decision in (None, FraudDecision.DECLINE, FraudDecision.REVIEW):
        world.fraud.script = [decision]
        answers.append(pay(world))
    answers += [
        pay(world, cardNumber=int(PAN), cardCode=int(CVV)),
        pay(world, expirationDate=PAN),
        pay(world, cardCode=PAN),
        pay(world, cardNumber=WRONG),
        pay(world, expirationDate={"cardNumber": PAN}),
        submit(world),
        submit(world, expirationDate=PAN),
        submit(world, email=PAN),
        submit(world, cardNumber=WRONG),
        world.client.get(f"/payments/{PAN}"),
        world.client.get(f"/payments/process/{PAN}"),
        world.client.post("/payments", json={"order_id": PAN, "user_id": CVV, "total_amount": "x"}),
    ]
    world.outlast_senders()
    while world.run_janitor():
        pass
    return answers


def tells_cvv(text: str) -> bool:
    """Whether the CVV stands in ``text`` as a word or number of its own, and not inside an id or a time."""
    return re.search(rf"(?<![0-9A-Za-z.:_-]){CVV}(?![0-9A-Za-z.:_-])", text) is not None


def test_a_cvv_is_found_where_it_stands_alone() -> None:
    assert tells_cvv(f'{{"cardCode": "{CVV}"}}')
    assert tells_cvv(f"code {CVV} was wrong")
    assert not tells_cvv(f"req_{CVV}ab 2026-11-21T10:00:00.{CVV}12Z")


def test_no_card_data_is_left_anywhere(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    answers = journeys(world)

    printed = "".join(capfd.readouterr())
    assert printed.count('"event": "request"') >= len(answers)
    assert not tells_cvv(printed)
    cells = list(every_cell(world.app))
    assert {"sealed_cards.sealed", "idempotency_keys.answer_body"} <= {name for name, _ in cells}
    assert len({name for name, _ in cells}) > 60
    told = [("a log line", line) for line in printed.splitlines()]
    told += [("an answer", text_of(answer)) for answer in answers]
    found = {
        where
        for where, value in [*cells, *told]
        if any(number.forms_in(as_bytes(value)) for number in NUMBERS) or holds_value(value, CVV)
    }
    assert found == set()
    for answer in answers:
        assert not tells_cvv(answer.text)


def as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def text_of(answer: Answer) -> str:
    return f"{answer.headers}\n{answer.text}"


def test_the_search_would_have_found_it(world: World) -> None:
    """What is looked for is really searched: one cell, spoiled by hand, is found."""
    world.create()

    def spoil(session: Session) -> None:
        session.execute(text("UPDATE payments SET description = :pan WHERE id > 2"), {"pan": f"<{SPACED}>"})
        session.execute(text("UPDATE payments SET details = :details"), {"details": f'{{"cvc": "{CVV}"}}'})

    world.change(spoil)

    cells = list(every_cell(world.app))
    assert {name for name, value in cells if NUMBERS[0].forms_in(as_bytes(value))} == {"payments.description"}
    assert {name for name, value in cells if holds_value(value, CVV)} == {"payments.details"}


def test_no_table_has_a_place_for_a_cvv(world: World) -> None:
    with world.app.app_context():
        found = inspect(db.engine)
        columns = {
            f"{table}.{column['name']}"
            for table in found.get_table_names()
            for column in found.get_columns(table)
        }

    assert "sealed_cards.sealed" in columns
    assert [name for name in columns if re.search(r"cvv|cvc|card_code|security_code", name)] == []


def test_the_last_four_and_the_bin_are_what_is_kept(world: World) -> None:
    payment_id = world.create()
    world.pay(payment_id, CARD)

    attempt = world.attempt(payment_id)
    assert (attempt.card_bin, attempt.card_last4) == ("510510", "5100")
    assert attempt.card_fingerprint is not None
    assert len(attempt.card_fingerprint) == 64
