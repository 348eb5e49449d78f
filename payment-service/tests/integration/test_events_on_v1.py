"""``/v1/events`` and a payment's timeline: what happened, to whom it belongs, and that an index finds it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.positions import EVENTS
from payment_service.extensions import db
from payment_service.models.merchant import LAB_MERCHANT_ID
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.queries.events import list_events, list_events_of_payment
from payment_service.queries.pagination import PageRequest
from payment_service.values.statuses import FraudDecision
from service_kit.clock import utc_text
from sqlalchemy import Connection, event, update

from tests.testkit.payments.access import bearer, new_client, open_shop
from tests.testkit.payments.scripted.sales import decline
from tests.testkit.payments.world import World

Headers = Mapping[str, str]


@pytest.fixture
def headers(world: World) -> Headers:
    return bearer(world, new_client(world, LAB_MERCHANT_ID))


@pytest.fixture
def payment(world: World) -> Payment:
    """A payment that our policy refused, then the bank, and that was paid at last."""
    payment_id = world.create()
    world.fraud.script = [FraudDecision.DECLINE]
    world.bank.script = [decline("lost_card")]
    for _ in range(3):
        world.pay(payment_id)
    return world.payment(payment_id)


def get(world: World, headers: Headers, path: str, **query: Any) -> Any:
    answer = world.client.get(path, query_string=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def refused(world: World, headers: Headers, path: str, **query: Any) -> tuple[int, str]:
    answer = world.client.get(path, query_string=query, headers=headers)
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.json["code"]


def test_events_are_shown_as_they_were_sealed(world: World, headers: Headers, payment: Payment) -> None:
    shown = get(world, headers, "/v1/events", limit=1)

    stored = world.all(PaymentEvent, payment_id=payment.id)[-1]
    assert (shown["object"], shown["url"], shown["has_more"]) == ("list", "/v1/events", True)
    (completed,) = shown["data"]
    assert completed["id"] == stored.public_id
    assert (completed["object"], completed["type"], completed["version"]) == ("event", "payment.completed", 1)
    assert (completed["payment"], completed["sequence"]) == (payment.public_id, 7)
    assert (completed["actor"], completed["at"]) == ("shop", utc_text(stored.created_at))
    assert completed["data"]["amount_minor"] == 399998


def ids(shown: Any) -> list[str]:
    return [item["id"] for item in shown["data"]]


def test_cursors_walk_through_all_events(world: World, headers: Headers, payment: Payment) -> None:
    whole = ids(get(world, headers, "/v1/events", limit=100))

    first = get(world, headers, "/v1/events", limit=4)
    second = get(world, headers, "/v1/events", limit=4, starting_after=ids(first)[-1])
    back = get(world, headers, "/v1/events", limit=4, ending_before=ids(second)[0])

    assert len(whole) == len(world.all(PaymentEvent)) == 9
    assert [*ids(first), *ids(second)] == whole[:8]
    assert ids(back) == ids(first)
    assert second["has_more"] is True
    assert back["has_more"] is False


def test_events_are_filtered(world: World, headers: Headers, payment: Payment) -> None:
    world.create()
    created = world.all(PaymentEvent, type="payment.created")

    of_type = get(world, headers, "/v1/events", type="payment.created")
    of_payment = get(world, headers, "/v1/events", payment=payment.public_id)
    both = get(world, headers, "/v1/events", payment=payment.public_id, type="payment.failed")
    at = created[-1].created_at
    since = get(world, headers, "/v1/events", created_from=at.isoformat().replace("+00:00", "Z"))
    before = get(world, headers, "/v1/events", created_to=at.isoformat().replace("+00:00", "Z"), limit=100)

    assert sorted(ids(of_type)) == sorted(row.public_id for row in created)
    assert [item["sequence"] for item in of_payment["data"]] == [7, 6, 5, 4, 3, 2, 1]
    assert [item["sequence"] for item in both["data"]] == [5, 3]
    assert ids(since) == [created[-1].public_id]
    assert len(ids(before)) == 9
    assert ids(get(world, headers, "/v1/events", payment="pay_never")) == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"type": "payment.paid"}, "invalid_input"),
        ({"payment": "é"}, "invalid_input"),
        ({"created_from": "yesterday"}, "invalid_input"),
        ({"limit": 101}, "invalid_input"),
        ({"starting_after": "evt_never"}, "cursor_unknown"),
    ],
)
def test_a_query_that_means_nothing_is_refused(
    world: World, headers: Headers, query: Mapping[str, Any], code: str
) -> None:
    assert refused(world, headers, "/v1/events", **query) == (400, code)


def test_nobody_sees_events_of_another_merchant(world: World, headers: Headers, payment: Payment) -> None:
    theirs = open_shop(world)
    path = f"/v1/payments/{payment.public_id}/events"
    cursor = world.all(PaymentEvent)[-1].public_id

    assert get(world, theirs.bearer, "/v1/events")["data"] == []
    assert get(world, theirs.bearer, "/v1/events", payment=payment.public_id)["data"] == []
    assert refused(world, theirs.bearer, "/v1/events", starting_after=cursor) == (400, "cursor_unknown")
    assert refused(world, theirs.bearer, path) == (404, "payment_not_found")
    assert refused(world, headers, "/v1/payments/pay_never/events") == (404, "payment_not_found")
    assert refused(world, headers, "/v1/payments/pay_%C3%A9/events")[0] == 404
    assert refused(world, headers, f"/v1/payments/{payment.id}/events")[0] == 404


def test_a_timeline_tells_who_did_what_and_why(world: World, headers: Headers, payment: Payment) -> None:
    shown = get(world, headers, f"/v1/payments/{payment.public_id}/events")

    paid, trying, declined, _, refused_by_us, _, created = shown["data"]
    assert shown["url"] == f"/v1/payments/{payment.public_id}/events"
    assert (created["who"], created["what"], created["why"]) == ("The shop", "The payment was created.", None)
    assert (created["amount"], created["currency"]) == (399998, "MAD")
    assert (created["fraud"], created["bank"]) == (None, {})
    assert created["details"] == {"order_id": "1"}
    assert trying["details"]["card_last4"] == "9999"
    assert refused_by_us["what"] == "The attempt was declined; another card may be tried."
    assert refused_by_us["why"] == "decline"
    assert refused_by_us["fraud"] == {
        "decision": "decline",
        "reasons": [{"rule": "scripted", "detail": "decline"}],
    }
    assert declined["why"] == "lost_card"
    assert declined["bank"] == {"decline_code": "lost_card"}
    assert declined["fraud"]["decision"] == "approve"
    assert (paid["type"], paid["what"]) == ("payment.completed", "The payment is complete.")
    assert paid["why"] is None
    assert paid["bank"] == {"authorization_code": "A00001"}
    assert {entry["actor"] for entry in shown["data"]} == {"shop"}


@pytest.mark.forged_events
def test_an_event_from_before_there_were_versions_is_shown(
    world: World, headers: Headers, payment: Payment
) -> None:
    stored = world.all(PaymentEvent, payment_id=payment.id)[0]
    old = stored.body.replace('"version":1,', "").replace('"actor":"shop",', "")
    assert len(old) < len(stored.body) - 20
    world.change(
        lambda session: session.execute(update(PaymentEvent).filter_by(id=stored.id).values(body=old))
    )

    feed = get(world, headers, "/v1/events", payment=payment.public_id)["data"][-1]
    entry = get(world, headers, f"/v1/payments/{payment.public_id}/events")["data"][-1]

    assert (feed["version"], feed["actor"]) == (0, None)
    assert (entry["who"], entry["what"]) == (None, "The payment was created.")


def plans(
    world: World, merchant_id: int, limits: Mapping[str, Any] | None, page: PageRequest
) -> Sequence[str]:
    """Explain the statements that a page takes, on SQLite."""
    found: list[str] = []

    def explain(
        connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> None:
        if "payment_events" in statement and not statement.startswith("EXPLAIN"):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.append(" | ".join(row[3] for row in rows))

    with world.app.app_context():
        give_positions(EVENTS, world.dependencies)
        event.listen(db.engine, "before_cursor_execute", explain)
        try:
            if limits is None:
                payment = world.all(Payment, merchant_id=merchant_id)[-1]
                list_events_of_payment(MerchantPayment(merchant_id, payment.public_id), page)
            else:
                list_events(merchant_id, page, **limits)
        finally:
            event.remove(db.engine, "before_cursor_execute", explain)
    return found


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("direction", [None, "starting_after", "ending_before"])
@pytest.mark.parametrize("kind", ["all", "type", "time", "payment", "timeline"])
def test_every_list_is_read_from_an_index_in_its_order(
    world: World, payment: Payment, kind: str, direction: str | None
) -> None:
    middle = world.all(PaymentEvent, payment_id=payment.id)[3]
    hour = timedelta(hours=1)
    limits: dict[str, Mapping[str, Any] | None] = {
        "all": {},
        "type": {"type": "payment.failed"},
        "time": {"created_from": middle.created_at - hour, "created_to": middle.created_at + hour},
        "payment": {"payment": payment.public_id},
        "timeline": None,
    }
    page = PageRequest(10, **{direction: middle.public_id} if direction else {})

    explained = plans(world, payment.merchant_id, limits[kind], page)

    # A period is looked up first, at both ends; then the cursor.
    assert len(explained) == (2 if direction else 1) + (2 if kind == "time" else 0)
    for plan in explained:
        assert "SCAN" not in plan
        assert "TEMP B-TREE" not in plan
    index = {
        "all": "ix_event_positions_merchant_id_position",
        "type": "ix_event_positions_merchant_id_type_position",
        "time": "ix_event_positions_merchant_id_position",
    }.get(kind, "sqlite_autoindex_payment_events")
    assert index in explained[-1]
