"""A world that shares its application with others has nothing of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from payment_service.commands.access.rotate_signing_keys import rotate_signing_keys
from payment_service.controllers.request import EXTENSION
from payment_service.extensions import db
from payment_service.models.base import Base
from payment_service.models.merchant import SigningKey
from payment_service.models.payment import Payment
from payment_service.values.scopes import SigningAlgorithm
from sqlalchemy import func, select, text

from tests.testkit.payments.access import ask_token, open_shop
from tests.testkit.payments.scripted.sales import lose_request
from tests.testkit.payments.world import World, Worlds


def rows(world: World) -> Mapping[str, int]:
    """Return how many rows each table has that has any."""
    with world.app.app_context(), db.reading() as session:
        counts = {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }
    return {table: number for table, number in counts.items() if number}


def live(world: World) -> None:
    """Touch everything that another world could meet."""
    shop = open_shop(world)
    shop.pay(world)
    card = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2031}
    shop.post(world, "/v1/payment-methods", {"card": card})
    world.pay(world.create())
    world.bank.script = [lose_request] * 3
    world.fraud.script = [None] * 3
    world.clock.advance(10**6)
    world.app.config["LAB_CURRENCY"] = "JPY"
    with world.app.app_context():
        rotate_signing_keys(SigningAlgorithm.EDDSA, world.dependencies, at_once=True)
    elsewhere = replace(world.config, public_base_url="https://elsewhere.example")
    world.app.extensions[EXTENSION] = replace(world.dependencies, config=elsewhere)


def test_a_world_has_nothing_of_the_one_before(worlds: Worlds) -> None:
    with worlds.new() as world:
        seeded = rows(world)
        credentials = open_shop(world).credentials
        live(world)
        assert set(rows(world)) > set(seeded)
        kids = {key.kid for key in world.all(SigningKey)}
        began = world.clock.now()

    with worlds.new() as world:
        assert rows(world) == seeded
        assert [payment.status for payment in world.all(Payment)] == ["pending", "pending"]
        (key,) = world.all(SigningKey)
        assert key.kid not in kids
        assert ask_token(world, credentials).status_code == 401
        assert world.clock.now() < began
        assert (world.bank.sales, world.bank.script, world.fraud.requests) == ([], [], [])
        payment_id = world.create()
        assert world.client.get(f"/payments/{payment_id}").json["currency"] == "MAD"
        assert world.pay(payment_id).status_code == 200


def test_a_key_that_no_test_touched_is_kept_and_opens_nothing_to_those_who_are_gone(worlds: Worlds) -> None:
    with worlds.new() as world:
        kept = [key.kid for key in world.all(SigningKey)]
        shop = open_shop(world)
        assert shop.get(world, "/v1/merchant").status_code == 200

    with worlds.new() as world:
        assert [key.kid for key in world.all(SigningKey)] == kept
        assert shop.get(world, "/v1/merchant").status_code == 401


def test_what_a_test_left_open_is_met_by_nobody(worlds: Worlds) -> None:
    with worlds.new() as world, world.app.app_context():
        left = db.engine.connect()
        left.execute(text("SELECT 1"))
        pool = db.engine.pool

    with worlds.new() as world, world.app.app_context():
        assert db.engine.pool is not pool
    left.close()


def test_nobody_adds_to_an_application_that_others_use(world: World) -> None:
    with pytest.raises(AssertionError, match="setup"):
        world.app.add_url_rule("/more", view_func=dict[str, Any])
