"""PCI: after whole journeys, no PAN and no CVV in any cell, log line, outbox row or answer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from flask import Flask
from payment_service.config import Config
from payment_service.extensions import db
from payment_service.providers.port import ChargeRequest, ProviderResult
from payment_service.testing import (
    Answer,
    ScriptedBank,
    World,
    decline,
    lose_answer,
    lose_request,
    refuse_connection,
    world_on,
)
from payment_service.values.assessment import FraudDecision
from sqlalchemy import inspect, text

PAN, CVV, SPACED = "5105105105105100", "9071", "5105 1051 0510 5100"
CARD: Mapping[str, str] = {"cardNumber": SPACED, "cardCode": CVV, "expirationDate": "2031-12"}


@pytest.fixture
def world(config: Config) -> Iterator[World]:
    limits = replace(config.limits, processing_s=2.0)
    with world_on(replace(config, limits=limits, log_level="DEBUG")) as world:
        yield world


def every_cell(app: Flask) -> Iterator[tuple[str, str]]:
    with app.app_context():
        tables = inspect(db.engine).get_table_names()
        with db.reading() as session:
            for table in tables:
                for row in session.execute(text(f"SELECT * FROM {table}")).mappings():  # noqa: S608  our own tables
                    for column, value in row.items():
                        yield f"{table}.{column}", str(value)


def pay(world: World, **changes: object) -> Answer:
    return world.pay(world.create(), {**CARD, **changes})


def submit(world: World, **changes: str) -> Answer:
    form = {"form_key": "k", "expirationDate": "12/31", "email": "", **changes}
    return world.client.post(f"/payments/process/{world.create()}", data={**CARD, **form})


def break_down(_bank: ScriptedBank, request: ChargeRequest) -> ProviderResult:
    raise RuntimeError(f"a defect that tells {request.card.number} and {request.card}")


def journeys(world: World) -> list[Answer]:
    answers = [pay(world)]
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
        pay(world, cardNumber=PAN[:-1] + "1"),
        pay(world, expirationDate={"cardNumber": PAN}),
        submit(world),
        submit(world, expirationDate=PAN),
        submit(world, email=PAN),
        submit(world, cardNumber=PAN[:-1] + "1"),
        world.client.get(f"/payments/{PAN}"),
        world.client.get(f"/payments/process/{PAN}"),
        world.client.post("/payments", json={"order_id": PAN, "user_id": CVV, "total_amount": "x"}),
    ]
    world.age(60)
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
    for number in (PAN, SPACED, PAN[:-1] + "1"):
        assert number not in printed
    assert not tells_cvv(printed)
    cells = list(every_cell(world.app))
    assert len({name for name, _ in cells}) > 40
    found = {
        name
        for name, value in cells
        if PAN in value or SPACED in value or value == CVV or f'"{CVV}"' in value or PAN[6:] in value
    }
    assert found == set()
    for answer in answers:
        assert SPACED not in answer.text
        assert not tells_cvv(answer.text)
        body = answer.text.replace(f'"/payments/{PAN}"', "")
        assert PAN not in body


def test_the_last_four_and_the_bin_are_what_is_kept(world: World) -> None:
    payment_id = world.create()
    world.pay(payment_id, CARD)

    attempt = world.attempt(payment_id)
    assert (attempt.card_bin, attempt.card_last4) == ("510510", "5100")
    assert attempt.card_fingerprint is not None
    assert len(attempt.card_fingerprint) == 64
