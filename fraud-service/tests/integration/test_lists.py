"""The lists, as an operator keeps them and as they decide."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

Decide = Callable[..., str]
Cli = Callable[..., Any]


def test_seed_lets_a_load_test_of_one_user_and_card_from_one_address_pass(cli: Cli, decide: Decide) -> None:
    cli("seed")

    decisions = {decide(bin="999999", client_ip="203.0.113.7") for _ in range(300)}

    assert decisions == {"approve"}


def test_seed_lets_the_cards_of_the_benchmark_pass_whatever_becomes_of_them(cli: Cli, decide: Decide) -> None:
    cli("seed")

    decisions = {
        decide(bin="400030", fingerprint=f"{card:064x}", client_ip="203.0.113.7") for card in range(60)
    }

    assert decisions == {"approve"}


def test_without_the_seed_the_same_load_is_declined(decide: Decide) -> None:
    decisions = [decide(bin="999999") for _ in range(11)]

    assert decisions == ["approve"] * 10 + ["decline"]


def test_seed_again_changes_nothing(cli: Cli, app: Flask) -> None:
    assert cli("seed").output == (
        "BIN 999999 is now on the allow list.\nBIN 400030 is now on the allow list.\n"
    )
    first = cli("lists", "show").output

    assert cli("seed").output == (
        "BIN 999999 was already on the allow list.\nBIN 400030 was already on the allow list.\n"
    )
    assert cli("lists", "show").output == first
    assert "allow" in first
    assert "Documented lab test card" in first
    assert "bank-simulator cards --bench" in first


def test_production_is_not_seeded(cli: Cli, app: Flask) -> None:
    token = "qzY0Zf7aWb1p0oPj1Wm3y6vKx2n8sLdE"
    result = cli("seed", env={"CAISSE_PROFILE": "production", "SERVICE_TOKEN": token})

    assert "Nothing to seed" in result.output
    assert cli("lists", "show").output == "Both lists are empty.\n"


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        ("bin", "400000"),
        ("card_fingerprint", "5f" * 32),
        ("user", "mer_1/1"),
        ("ip", "203.0.113.7"),
    ],
)
def test_each_subject_can_be_denied_and_no_longer(cli: Cli, decide: Decide, subject: str, value: str) -> None:
    cli("lists", "add", "deny", subject, value, "--reason", "stolen in May")
    assert decide(client_ip="203.0.113.7") == "decline"
    assert decide(bin="500000", fingerprint="77" * 32, user_id="2") == "approve"

    cli("lists", "remove", "deny", subject, value)

    assert decide(client_ip="203.0.113.7") == "approve"


def test_deny_beats_allow(cli: Cli, ask: Callable[..., Any]) -> None:
    cli("lists", "add", "allow", "bin", "400000", "--reason", "trusted")
    cli("lists", "add", "deny", "user", "mer_1/1", "--reason", "chargebacks")

    answer = ask().json

    assert (answer["decision"], answer["score"]) == ("decline", 100)
    assert answer["reasons"] == [{"rule": "deny_list", "detail": "user is on the deny list: chargebacks"}]


def test_an_entry_ends_at_the_moment_it_expires(
    decide: Decide, list_add: Callable[..., None], clock: Any
) -> None:
    list_add("deny", "bin", "400000", lasts_s=60)
    clock.move(seconds=60, microseconds=-1)
    assert decide() == "decline"

    clock.move(microseconds=1)

    assert decide() == "approve"


def test_an_expired_entry_gives_way_to_a_new_one(
    decide: Decide, list_add: Callable[..., None], clock: Any
) -> None:
    list_add("deny", "bin", "400000", lasts_s=60)
    clock.move(seconds=60)

    list_add("deny", "bin", "400000")

    assert decide() == "decline"


def test_a_value_is_on_a_list_once(cli: Cli, app: Flask) -> None:
    cli("lists", "add", "deny", "bin", "400000", "--reason", "first")

    result = cli("lists", "add", "deny", "bin", "400000", "--reason", "second", expect=1)

    assert "on the deny list already" in result.output
    assert "second" not in cli("lists", "show").output


def test_show_prints_who_listed_what_and_until_when(cli: Cli, app: Flask) -> None:
    cli("lists", "add", "deny", "ip", "2001:db8::5", "--reason", "open proxy", "--by", "amina",
        "--expires-at", "2999-01-01")  # fmt: skip

    line = cli("lists", "show").output

    assert line.startswith("deny   ip                2001:db8::/64  (open proxy; amina, ")
    assert line.endswith(", until 2999-01-01T00:00:00Z)\n")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["add", "deny", "user", "1", "--reason", "x"], 2, "user must be merchant_id/user_id"),
        (["add", "deny", "bin", "400000"], 2, "--reason"),
        (["add", "deny", "bin", "400000", "--reason", "x", "--expires-at", "soon"], 2, "not a moment"),
        (["add", "deny", "bin", "400000", "--reason", "x", "--expires-at", "2020-01-01"], 2, "in the past"),
        (["add", "deny", "bin", "400000", "--reason", "x" * 201], 2, "at most 200 characters"),
        (["remove", "allow", "bin", "400000"], 1, "is not on the allow list"),
        (["remove", "allow", "bin", "4"], 2, "bin must be"),
    ],
)
def test_what_cannot_be_done_is_said(
    cli: Cli, app: Flask, arguments: list[str], status: int, message: str
) -> None:
    result = cli("lists", *arguments, expect=status)

    assert message in result.output
    assert cli("lists", "show").output == "Both lists are empty.\n"


def test_an_allowed_user_does_not_help_another_one(cli: Cli, decide: Decide) -> None:
    cli("lists", "add", "allow", "user", "mer_1/1", "--reason", "trusted")

    assert [decide(user_id="2") for _ in range(11)][-1] == "decline"
