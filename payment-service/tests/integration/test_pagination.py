"""Pages of a list: every row once, in both directions, and only the caller's."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import marshmallow as ma
import pytest
from payment_service.errors import CursorUnknown
from payment_service.extensions import db
from payment_service.models.merchant import Merchant
from payment_service.models.payment import Payment
from payment_service.queries.pagination import Listing, Page, PageRequest, read_page
from payment_service.schemas.v1.pagination import CreatedQuerySchema, PageQuerySchema, list_schema
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from tests.testkit.payments.access import open_shop
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.world import World

Order = tuple[InstrumentedAttribute[Any], ...]
BY_TIME: Order = (Payment.created_at, Payment.id)
BY_ID: Order = (Payment.id,)


@pytest.fixture
def merchant_id(world: World) -> int:
    """The lab's merchant, with seven payments of which three were created at one moment."""
    for _ in range(7):
        world.create()
    rows = world.all(Payment)[2:]

    def work(session: Session) -> None:
        for number, row in enumerate(rows):
            # The order of time is not that of ids, and three of them are equal.
            at = rows[0].created_at - timedelta(hours=0 if number in {1, 3, 5} else number)
            session.get_one(Payment, row.id).created_at = at

    world.change(work)
    return rows[0].merchant_id


def page_of(
    world: World, merchant_id: int, page: PageRequest, order: Order = BY_TIME, order_id: str | None = None
) -> Page[Payment]:
    statement = select(Payment)
    if order_id is not None:
        statement = statement.where(Payment.order_id == order_id)
    listing = Listing(order, Payment.public_id, Payment.merchant_id == merchant_id)
    with world.app.app_context(), db.reading() as session:
        return read_page(session, statement, listing, page)


def test_who_goes_forwards_sees_a_row_once_none_can_appear_behind_it(world: World) -> None:
    shop = open_shop(world)
    first = shop.create(world).json["id"]
    world.clock.advance(61)
    second, third = (shop.create(world).json["id"] for _ in range(2))

    def newer(limit: int = 10) -> tuple[list[str], bool]:
        page = shop.get(world, "/v1/payments", ending_before=first, limit=limit).json
        return [payment["id"] for payment in page["data"]], page["has_more"]

    at_once = [payment["id"] for payment in shop.get(world, "/v1/payments").json["data"]]
    young = newer()
    world.clock.advance(59)
    not_yet = newer(limit=1)
    world.clock.advance(2)

    assert at_once == [third, second, first]
    assert young == not_yet == ([], False)
    assert newer() == ([third, second], False)
    assert newer(limit=1) == ([second], True)


@pytest.mark.parametrize("path", ["/v1/refunds", "/v1/payment-methods"])
def test_other_lists_end_before_what_is_young_as_well(world: World, path: str) -> None:
    shop = open_shop(world)
    payment = shop.pay(world, amount=1000).json["id"]

    def make() -> str:
        body = {"payment": payment, "amount": 10} if path == "/v1/refunds" else {"card": V1_CARD}
        made: str = shop.post(world, path, body).json["id"]
        return made

    first = make()
    world.clock.advance(61)
    second = make()
    young = shop.get(world, path, ending_before=first).json["data"]
    world.clock.advance(61)
    third = make()

    assert young == []
    assert [row["id"] for row in shop.get(world, path, ending_before=first).json["data"]] == [second]
    assert [row["id"] for row in shop.get(world, path).json["data"]] == [third, second, first]


def ids(rows: Sequence[Payment]) -> list[str]:
    return [row.public_id for row in rows]


def newest_first(world: World, merchant_id: int, order: Order) -> list[str]:
    rows = world.all(Payment, merchant_id=merchant_id)
    key = (lambda row: (row.created_at, row.id)) if order is BY_TIME else (lambda row: row.id)
    return ids(sorted(rows, key=key, reverse=True))


@pytest.mark.parametrize("order", [BY_TIME, BY_ID])
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 9, 100])
def test_the_pages_forward_are_the_whole_list(
    world: World, merchant_id: int, order: Order, limit: int
) -> None:
    page = page_of(world, merchant_id, PageRequest(limit), order)
    found = ids(page.rows)
    while page.has_more:
        assert len(page.rows) == limit
        page = page_of(world, merchant_id, PageRequest(limit, starting_after=found[-1]), order)
        found += ids(page.rows)

    assert found == newest_first(world, merchant_id, order)


@pytest.mark.parametrize("order", [BY_TIME, BY_ID])
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_the_pages_backward_are_the_whole_list(
    world: World, merchant_id: int, order: Order, limit: int
) -> None:
    whole = newest_first(world, merchant_id, order)
    found = whole[-1:]
    page: Page[Payment] = Page([], has_more=True)
    while page.has_more:
        page = page_of(world, merchant_id, PageRequest(limit, ending_before=found[0]), order)
        found = [*ids(page.rows), *found]

    assert found == whole


def test_a_filter_hides_rows_but_no_cursor(world: World, merchant_id: int) -> None:
    world.create(order_id=77)
    newest = newest_first(world, merchant_id, BY_TIME)

    page = page_of(world, merchant_id, PageRequest(starting_after=newest[0]), order_id="1")

    assert ids(page.rows) == [
        public_id for public_id in newest[1:] if world.all(Payment, public_id=public_id)[0].order_id == "1"
    ]


@pytest.mark.parametrize("field", ["starting_after", "ending_before"])
def test_a_foreign_cursor_is_as_unknown_as_one_that_never_was(
    world: World, merchant_id: int, field: str
) -> None:
    theirs = open_shop(world)
    (other,) = world.all(Merchant, public_id=theirs.merchant_id)
    ours = world.all(Payment)[0].public_id

    for cursor in (ours, "pay_never"):
        cursors: dict[str, Any] = {field: cursor}
        with pytest.raises(CursorUnknown) as caught:
            page_of(world, other.id, PageRequest(**cursors))
        assert caught.value.field == field
    assert page_of(world, other.id, PageRequest()).rows == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "ten"},
        {"starting_after": "pay_1", "ending_before": "pay_2"},
        {"starting_after": ""},
        {"starting_after": "pay_é"},
        {"ending_before": "pay_1' OR 1"},
        {"created_from": "2026-11-21"},
        {"created_to": "2026-11-21T10:00:00"},
    ],
)
def test_what_is_no_page_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ma.ValidationError):
        CreatedQuerySchema(unknown=ma.EXCLUDE).load(query)


def test_a_query_becomes_a_page_and_the_filters_beside_it() -> None:
    assert PageQuerySchema().load({}) == {"page": PageRequest(10)}
    loaded = CreatedQuerySchema().load(
        {"limit": "3", "ending_before": "pay_x", "created_from": "2026-11-21T10:00:00+01:00"}
    )
    assert loaded["page"] == PageRequest(3, None, "pay_x")
    assert loaded["created_from"].isoformat() == "2026-11-21T09:00:00+00:00"
    assert loaded["created_to"] is None


class NameSchema(ma.Schema):
    name = ma.fields.String()


def test_a_page_is_shown_with_the_address_of_its_list(world: World) -> None:
    schema = list_schema(NameSchema)

    with world.app.test_request_context("/v1/names?limit=1"):
        shown = schema().dump(Page([{"name": "a"}], has_more=True))

    assert shown == {"object": "list", "url": "/v1/names", "has_more": True, "data": [{"name": "a"}]}
    assert schema.__name__ == "NameList"
