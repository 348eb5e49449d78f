"""Following a list forwards: every row once, in one order, whatever is written meanwhile."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.domain import positions
from payment_service.domain.positions import EVENTS
from payment_service.extensions import db
from payment_service.models.ledger import LedgerEntry
from payment_service.models.merchant import LAB_MERCHANT_ID
from payment_service.models.payment import PaymentEvent
from payment_service.models.position import EntryPosition, EventPosition, Sequence
from service_kit.db.rows import given_values
from service_kit.ids import new_id
from sqlalchemy import Connection, insert

from tests.testkit.payments.access import Shop, bearer, new_client, open_shop
from tests.testkit.payments.parallel_processes import create_slowly, place_for_ever, racers
from tests.testkit.payments.world import World

WRITERS = 8
EACH = 12


def lab_shop(world: World) -> Shop:
    credentials = new_client(world, LAB_MERCHANT_ID)
    return Shop(LAB_MERCHANT_ID, credentials, bearer(world, credentials))


class Poller:
    """Follows a list from its beginning, as docs/events says."""

    def __init__(self, world: World, shop: Shop, path: str, limit: int = 7) -> None:
        self._world, self._shop, self._path, self._limit = world, shop, path, limit
        oldest: list[Any] = self._get()
        while older := self._get(starting_after=oldest[-1]["id"]):
            oldest = older
        self.seen: list[Any] = oldest[-1:]
        self.poll()

    def poll(self) -> int:
        """Read what is new, page by page, and return how much that was."""
        before = len(self.seen)
        while page := self._get(ending_before=self.seen[-1]["id"]):
            self.seen += reversed(page)
        return len(self.seen) - before

    def _get(self, **cursor: str) -> list[Any]:
        answer = self._shop.get(self._world, self._path, limit=self._limit, **cursor)
        assert answer.status_code == 200, answer.text
        page: list[Any] = answer.json["data"]
        return page


def test_a_poller_misses_nothing_while_others_write_and_who_gives_positions_is_killed(world: World) -> None:
    poller = Poller(world, lab_shop(world), "/v1/events")

    with racers(WRITERS, create_slowly, world.config) as writers:
        for writer in writers:
            writer.send(EACH)
        for _ in range(4):
            with racers(1, place_for_ever, world.config) as (placing,):
                placing.send(None)
                for _ in range(5):
                    poller.poll()
        for writer in writers:
            while not writer.has_answered():
                poller.poll()
            assert writer.answer() is None
    poller.poll()

    ids = [event["id"] for event in poller.seen]
    assert len(ids) == len(set(ids)) == 2 + WRITERS * EACH
    assert set(ids) == {event.public_id for event in world.all(PaymentEvent)}
    places = world.all(EventPosition)
    assert [place.position for place in places] == list(range(1, len(ids) + 1))


@contextmanager
def uncommitted_event(world: World) -> Iterator[tuple[int, Connection]]:
    """Give an event that is written in a transaction of its own, still open: its id, and the connection."""
    (first, *_) = world.all(PaymentEvent)
    # A new name each time: that of a deleted row would lock what is beside it, too.
    name = new_id("evt")
    body = first.body.replace(first.public_id, name)
    row = {**given_values(first), "id": None, "public_id": name, "sequence": 99, "body": body}
    with world.app.app_context(), db.engine.connect() as connection:
        inserted = connection.execute(insert(PaymentEvent).values(row))
        assert inserted.inserted_primary_key is not None
        yield inserted.inserted_primary_key[0], connection


def missed(world: World) -> set[int]:
    """Return the ids that are remembered as missing."""
    (sequence,) = world.all(Sequence)
    return {row_id for first, last, _ in json.loads(sequence.gaps) for row_id in range(first, last + 1)}


@pytest.mark.engines("mariadb", "mysql")
def test_an_event_that_commits_behind_a_later_one_comes_after_it(world: World) -> None:
    poller = Poller(world, lab_shop(world), "/v1/events")
    with uncommitted_event(world) as (late_id, connection):
        world.create()
        assert poller.poll() == 1
        assert late_id in missed(world)
        assert poller.poll() == 0

        connection.commit()

    assert poller.poll() == 1
    assert poller.seen[-1]["id"] == world.all(PaymentEvent, id=late_id)[0].public_id
    assert late_id not in missed(world)


@pytest.mark.engines("mariadb", "mysql")
def test_an_id_that_never_comes_is_given_up_once_no_transaction_can_have_it(world: World) -> None:
    poller = Poller(world, lab_shop(world), "/v1/events")
    with uncommitted_event(world) as (late_id, connection):
        world.create()
        poller.poll()
        connection.rollback()
    world.clock.advance(world.config.limits.gap_s - 1)
    world.create()
    poller.poll()
    assert late_id in missed(world)

    world.clock.advance(2)
    world.create()

    assert poller.poll() == 1
    assert missed(world) == set()


def test_what_was_written_before_there_were_positions_gets_them_in_its_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "BATCH", 2)
    for _ in range(5):
        world.create()

    with world.app.app_context():
        placed = give_positions(EVENTS, world.dependencies)

    assert placed == 7
    assert [place.row_id for place in world.all(EventPosition)] == [
        event.id for event in world.all(PaymentEvent)
    ]
    with world.app.app_context():
        assert give_positions(EVENTS, world.dependencies) == 0


def test_entries_are_followed_like_events(world: World) -> None:
    shop = open_shop(world)
    shop.pay(world)
    poller = Poller(world, shop, "/v1/balance/entries", limit=1)
    assert len(poller.seen) == 2

    shop.pay(world)
    poller.poll()

    entries = world.all(LedgerEntry)
    assert [entry["id"] for entry in poller.seen] == [entry.public_id for entry in entries]
    assert [place.row_id for place in world.all(EntryPosition)] == [entry.id for entry in entries]


def test_a_period_holds_the_same_events_with_and_without_bounds(world: World) -> None:
    moments = []
    for _ in range(6):
        world.create()
        moments.append(world.clock.now())
        world.clock.advance(3600)
    shop = lab_shop(world)

    for start in range(6):
        for end in range(start, 6):
            query = {"created_from": moments[start].isoformat(), "created_to": moments[end].isoformat()}
            found = shop.get(world, "/v1/events", limit=100, type="payment.created", **query).json["data"]
            assert len(found) == end - start
