"""Keys, leases and stored answers, on a route that does nothing else."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Response, request
from payment_service.config import Config
from payment_service.controllers.access import require_scope
from payment_service.controllers.idempotency import idempotent, idempotent_request, respond
from payment_service.domain.idempotency_keys import (
    Earlier,
    IdempotentRequest,
    StoredAnswer,
    begin_key,
    finish,
)
from payment_service.errors import KeyInProgress, KeyReused, PaymentNotFound
from payment_service.extensions import db
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.merchant import Merchant
from service_kit.clock import utc_now
from service_kit.web import strict_json
from service_kit.web.api import Blueprint
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from tests.testkit.payments.access import Shop, open_shop
from tests.testkit.payments.client import Answer
from tests.testkit.payments.world import World, world_on

NOW = utc_now()
LEASE = timedelta(seconds=30)
ANSWER = StoredAnswer(
    402, '{"error":"Refusée \U0001f4b3"}\n'.encode(), "application/problem+json", "/v1/things/thing_1", 2
)


@pytest.fixture
def merchant_id(world: World) -> int:
    return world.all(Merchant, public_id="mer_lab")[0].id


@pytest.fixture
def asked(merchant_id: int) -> IdempotentRequest:
    return IdempotentRequest(merchant_id, "a" * 64, "b" * 64)


def start(
    world: World, asked: IdempotentRequest, thing: str = "thing_1", *, now: datetime = NOW
) -> Earlier | None:
    with world.app.app_context():
        return db.in_transaction(lambda session: begin_key(session, asked, thing, now, LEASE))


def end(world: World, asked: IdempotentRequest, answer: StoredAnswer = ANSWER) -> StoredAnswer:
    return world.change(lambda session: finish(session, asked, answer))


def test_a_new_key_is_inserted_and_means_execute(world: World, asked: IdempotentRequest) -> None:
    assert start(world, asked) is None

    (row,) = world.all(IdempotencyKey)
    assert (row.key_hash, row.fingerprint, row.resource_id) == ("a" * 64, "b" * 64, "thing_1")
    assert row.leased_until == NOW + LEASE
    assert not row.is_answered


def test_a_key_whose_first_request_is_under_way_is_told_so(world: World, asked: IdempotentRequest) -> None:
    start(world, asked)

    with pytest.raises(KeyInProgress) as told:
        start(world, asked, now=NOW + LEASE - timedelta(seconds=1))

    assert told.value.retry_after_s == 1
    assert len(world.all(IdempotencyKey)) == 1


def test_an_answered_key_gives_the_stored_answer_whatever_the_lease(
    world: World, asked: IdempotentRequest
) -> None:
    start(world, asked)
    assert end(world, asked) == ANSWER

    for later in (timedelta(0), LEASE * 100):
        assert start(world, asked, "thing_2", now=NOW + later) == Earlier(
            "thing_1", replace(ANSWER, is_replay=True)
        )


def test_an_expired_lease_is_taken_over_once_and_executes_nothing(
    world: World, asked: IdempotentRequest
) -> None:
    start(world, asked)

    assert start(world, asked, "thing_2", now=NOW + LEASE) == Earlier("thing_1", None)
    with pytest.raises(KeyInProgress):
        start(world, asked, now=NOW + LEASE)
    assert world.all(IdempotencyKey)[0].resource_id == "thing_1"


def test_the_first_stored_answer_stays(world: World, asked: IdempotentRequest) -> None:
    """A request that was slower than its lease gets what the one that took over has told."""
    start(world, asked)
    start(world, asked, now=NOW + LEASE)
    end(world, asked)

    late = end(world, asked, StoredAnswer(201, b"{}", "application/json"))

    assert late == ANSWER
    assert start(world, asked) == Earlier("thing_1", replace(ANSWER, is_replay=True))


def test_a_key_with_other_parameters_is_refused_in_every_state(
    world: World, asked: IdempotentRequest
) -> None:
    other = replace(asked, fingerprint="c" * 64)
    start(world, asked)

    with pytest.raises(KeyReused):
        start(world, other)
    with pytest.raises(KeyReused):
        start(world, other, now=NOW + LEASE)
    end(world, asked)
    with pytest.raises(KeyReused):
        start(world, other)


def test_a_request_that_was_refused_leaves_no_key(world: World, asked: IdempotentRequest) -> None:
    def refuse(session: Session) -> None:
        begin_key(session, asked, "thing_1", NOW, LEASE)
        raise LookupError

    with pytest.raises(LookupError):
        world.change(refuse)

    assert world.all(IdempotencyKey) == []
    assert start(world, asked) is None


def test_a_request_costs_two_statements_and_so_does_a_replay(world: World, asked: IdempotentRequest) -> None:
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "idempotency_keys" in statement:
            statements.append(statement.split(maxsplit=1)[0])

    with world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        start(world, asked)
        end(world, asked)
        start(world, asked)
    finally:
        event.remove(engine, "before_cursor_execute", note)

    assert statements == ["INSERT", "UPDATE", "INSERT", "SELECT"]


def test_a_long_answer_is_stored_whole(world: World, asked: IdempotentRequest) -> None:
    long = replace(ANSWER, body=strict_json.dumps({"text": "é\\\r\n\t" * 40_000}).encode())
    start(world, asked)
    end(world, asked, long)

    assert start(world, asked) == Earlier("thing_1", replace(long, is_replay=True))


def test_of_many_inserts_of_one_key_at_once_one_executes(world: World, asked: IdempotentRequest) -> None:
    """The others wait for the first, and then find its key (SQLite lets them wait even earlier)."""
    all_start = threading.Barrier(8)
    results: list[object] = []

    def one(name: str) -> None:
        all_start.wait()
        try:
            results.append(start(world, asked, name))
        except KeyInProgress as told:
            results.append(type(told))

    threads = [threading.Thread(target=one, args=(f"thing_{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results.count(None) == 1
    assert results.count(KeyInProgress) == 7
    assert len(world.all(IdempotencyKey)) == 1


def test_a_key_whose_first_request_is_undone_is_free_for_the_next(
    world: World, asked: IdempotentRequest
) -> None:
    def undone(session: Session) -> None:
        begin_key(session, asked, "thing_undone", NOW, LEASE)
        raise PaymentNotFound("pay_x")

    with world.app.app_context(), pytest.raises(PaymentNotFound):
        db.in_transaction(undone)

    assert start(world, asked) is None
    assert [row.resource_id for row in world.all(IdempotencyKey)] == ["thing_1"]


# A route that counts how often it was carried out.
CARRIED_OUT: list[Any] = []


@pytest.fixture
def probed(config: Config) -> Iterator[World]:
    CARRIED_OUT.clear()
    probe = Blueprint("probe", "probe", url_prefix="/v1/probe")

    def act(name: str) -> Response:
        asked = idempotent_request(strict_json.loads(request.get_data() or b"null"))

        def work(session: Session) -> StoredAnswer:
            earlier = begin_key(session, asked, name, utc_now(), LEASE)
            if earlier is not None and earlier.answer is not None:
                return earlier.answer
            CARRIED_OUT.append(name)
            return finish(session, asked, replace(ANSWER, body=f"number {len(CARRIED_OUT)}".encode()))

        return respond(db.in_transaction(work))

    view = require_scope("payments:write")(idempotent(act))
    probe.add_url_rule("/<name>", view_func=view, methods=["POST"])
    with world_on(config, lambda app: app.register_blueprint(probe)) as world:
        yield world


def post(
    world: World, shop: Shop, path: str = "/v1/probe/thing_x", key: str | None = "k", body: object = None
) -> Answer:
    headers: Mapping[str, str] = {} if key is None else {"Idempotency-Key": key}
    return world.client.post(path, headers={**shop.bearer, **headers}, json=body)


def test_a_repeat_is_answered_byte_for_byte_and_not_carried_out(probed: World) -> None:
    shop = open_shop(probed)

    first, second = post(probed, shop), post(probed, shop)

    assert CARRIED_OUT == ["thing_x"]
    assert (second.status_code, second.text) == (first.status_code, first.text) == (402, "number 1")
    for name in ("Content-Type", "Location", "Retry-After"):
        assert second.headers[name] == first.headers[name]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"


def test_the_same_key_elsewhere_is_another_key(probed: World) -> None:
    ours, theirs = open_shop(probed, "Ours"), open_shop(probed, "Theirs")

    answers = [
        post(probed, ours),
        post(probed, ours, "/v1/probe/thing_y"),
        post(probed, theirs),
        post(probed, ours, key="K"),
    ]

    assert [answer.text for answer in answers] == ["number 1", "number 2", "number 3", "number 4"]


def test_the_same_key_with_other_parameters_is_422(probed: World) -> None:
    shop = open_shop(probed)
    post(probed, shop, body={"amount": 1})

    answer = post(probed, shop, body={"amount": 2})

    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert post(probed, shop, body={"amount": 1}).headers["Idempotent-Replayed"] == "true"


def test_a_key_in_progress_is_409_with_a_pause(probed: World) -> None:
    shop = open_shop(probed)
    post(probed, shop)

    probed.change(lambda session: session.execute(update(IdempotencyKey).values(answer_status=None)))

    answer = post(probed, shop)

    assert (answer.status_code, answer.json["code"]) == (409, "idempotency_key_in_progress")
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("", "idempotency_key_missing"),
        ("x" * 256, "idempotency_key_invalid"),
        ("clé", "idempotency_key_invalid"),
        ("a\tb", "idempotency_key_invalid"),
        ("a\x7fb", "idempotency_key_invalid"),
    ],
)
def test_what_is_no_key_is_400(probed: World, key: str | None, code: str) -> None:
    answer = post(probed, open_shop(probed), key=key)

    assert (answer.status_code, answer.json["code"]) == (400, code)
    assert CARRIED_OUT == []


def test_a_key_of_255_characters_is_taken(probed: World) -> None:
    assert post(probed, open_shop(probed), key=" ~" * 127 + "x").status_code == 402
