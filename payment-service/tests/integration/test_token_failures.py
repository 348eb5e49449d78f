"""Wrong secrets at POST /oauth2/token: who guesses has to wait, nobody else, and operators see who it was."""

import json
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from payment_service.commands.access.api_clients import ClientCredentials
from payment_service.controllers.request import EXTENSION
from payment_service.domain.access.token_failures import (
    MOST_BY_ADDRESS,
    MOST_BY_CLIENT,
    MOST_BY_PAIR,
    MOST_REMEMBERED,
    REMEMBERED_S,
    TokenFailures,
)
from service_kit.ids import new_id

from tests.testkit.payments.access import new_client
from tests.testkit.payments.client import Answer
from tests.testkit.payments.world import World

GATEWAY = "10.2.0.7"
HOME = "198.51.100.4"


@pytest.fixture(autouse=True)
def gateway_in_front(request: pytest.FixtureRequest) -> None:
    """Let the service believe what a gateway of that network says of its callers."""
    if "world" in request.fixturenames:
        world: World = request.getfixturevalue("world")
        config = replace(world.config, trusted_proxies=(ip_network("10.2.0.0/16"),))
        world.app.extensions[EXTENSION] = replace(world.dependencies, config=config)


def ask(world: World, credentials: ClientCredentials, address: str = HOME) -> Answer:
    """Ask through the gateway, from an address of the world outside."""
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    }
    return world.client.post(
        "/oauth2/token",
        data=form,
        headers={"X-Forwarded-For": address},
        environ_base={"REMOTE_ADDR": GATEWAY},
    )


def wrong(client: ClientCredentials, number: int = 0) -> ClientCredentials:
    return ClientCredentials(client.client_id, f"cs_wrong_{number}")


def lines(text: str, event: str) -> list[dict[str, Any]]:
    found = map(json.loads, text.splitlines())
    return [line for line in found if line["event"] == event]


def test_who_guesses_a_clients_secret_has_to_wait(world: World) -> None:
    client = new_client(world, "mer_lab")
    answers = [ask(world, wrong(client, number)) for number in range(MOST_BY_PAIR + 2)]

    assert [answer.status_code for answer in answers] == [401] * MOST_BY_PAIR + [429] * 2
    refused = answers[-1]
    assert refused.content_type == "application/json"
    assert refused.json["error"] == "slow_down"
    assert refused.headers["Retry-After"] == str(REMEMBERED_S)
    assert refused.headers["Cache-Control"] == "no-store"
    assert (
        ask(world, client).status_code == 429
    )  # no guess of that address is looked at, not even a right one
    assert ask(world, client, "198.51.100.5").status_code == 200
    assert ask(world, new_client(world, "mer_lab")).status_code == 200

    world.clock.advance(REMEMBERED_S + 1)
    assert ask(world, client).status_code == 200


def test_an_address_that_guesses_at_many_clients_has_to_wait(world: World) -> None:
    for _ in range(MOST_BY_ADDRESS):
        assert ask(world, ClientCredentials(new_id("cli"), "cs_wrong")).status_code == 401

    client = new_client(world, "mer_lab")
    assert ask(world, client).status_code == 429
    assert ask(world, client, "198.51.100.5").status_code == 200


def test_guesses_from_everywhere_lock_nobody_out_who_guessed_nothing(world: World) -> None:
    client = new_client(world, "mer_lab")
    for number in range(MOST_BY_CLIENT):
        assert ask(world, wrong(client), f"203.0.113.{number}").status_code == 401

    assert ask(world, wrong(client), "203.0.113.0").status_code == 429
    assert ask(world, client).status_code == 200


def test_where_no_address_is_known_the_right_secret_always_gets_in(world: World) -> None:
    client = new_client(world, "mer_lab")
    nowhere = "somebody, somewhere"
    for _ in range(MOST_BY_CLIENT):
        assert ask(world, wrong(client), nowhere).status_code == 401

    assert ask(world, wrong(client), nowhere).status_code == 429
    assert ask(world, client, nowhere).status_code == 200


def test_the_log_names_client_and_address_and_no_secret(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    client = new_client(world, "mer_lab")
    secret = client.client_secret
    capsys.readouterr()

    for _ in range(MOST_BY_PAIR + 1):
        ask(world, wrong(client))
    # What stands where the id should be may be anything: a secret, a card, a book.
    for text in (secret, "4111111111111111", "cli_" + "x" * 10_000, "cli_\n", "\x00é"):
        ask(world, ClientCredentials(text, secret))

    logged = capsys.readouterr().out
    refused = lines(logged, "client_refused")
    assert len(refused) == MOST_BY_PAIR + 5
    assert {(line["client"], line["address"], line["peer"]) for line in refused[:MOST_BY_PAIR]} == {
        (client.client_id, HOME, GATEWAY)
    }
    assert {line["client"] for line in refused[MOST_BY_PAIR:]} == {None}
    (limited,) = lines(logged, "token_requests_limited")
    assert (limited["client"], limited["address"]) == (client.client_id, HOME)
    assert limited["level"] == "warning"
    for text in (secret, "cs_wrong", "4111111111111111", "xxxx"):
        assert text not in logged


def test_what_is_remembered_is_bounded() -> None:
    failures = TokenFailures()

    for number in range(MOST_REMEMBERED):
        failures.add(f"cli_{number}", f"2001:db8::{number:x}")

    assert len(failures._counts) == MOST_REMEMBERED
