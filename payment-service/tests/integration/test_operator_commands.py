"""What operators type: merchants, API clients, signing keys, and the lab's credentials."""

import json
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from payment_service.cli import main
from payment_service.commands.access.api_clients import ClientCredentials
from payment_service.models.merchant import ApiClient, Merchant
from payment_service.models.movement import Capture

from tests.testkit.payments.access import ask_token
from tests.testkit.payments.config import PRODUCTION_ENVIRONMENT
from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.scripted.follow_ups import lose_it
from tests.testkit.payments.world import World

Run = Callable[..., Result]


@pytest.fixture
def run(world: World) -> Run:
    """Type a command on the world's database."""

    def invoke(*words: str, **environment: str) -> Result:
        settings = {
            "DATABASE_URL": world.config.database_url,
            "LOG_LEVEL": "CRITICAL",
            "BANK_URL": "http://127.0.0.1:1",
            **environment,
        }
        return CliRunner().invoke(main, words, env=settings)

    return invoke


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def credentials(output: str) -> ClientCredentials:
    shown = dict(line.split() for line in output.splitlines())
    return ClientCredentials(shown["client_id"], shown["client_secret"])


def test_a_merchant_and_its_client_are_made_shown_rotated_and_disabled(world: World, run: Run) -> None:
    merchant_id = done(
        run("merchants", "create", "--name", "Atlas", "--legal-name", "Atlas SA", "--address", "1, rue A",
            "--address", "Rabat", "--tax-number", "IF 1", "--locale", "en", "--currency", "EUR")
    ).strip()  # fmt: skip
    (merchant,) = world.all(Merchant, public_id=merchant_id)
    assert (merchant.legal_name, merchant.address, merchant.currency) == (
        "Atlas SA",
        "1, rue A\nRabat",
        "EUR",
    )
    assert f"{merchant_id}  Atlas  en  EUR" in done(run("merchants", "list"))
    shown = done(run("merchants", "show", merchant_id))
    assert "legal name  Atlas SA\naddress     1, rue A\n            Rabat\ntax number  IF 1\n" in shown

    scopes = ("--scope", "payments:write", "--scope", "payments:read")
    made = run("api-clients", "create", "--merchant", merchant_id, "--name", "Till", *scopes)
    first = credentials(done(made))
    assert "cannot be shown again" in made.stderr
    assert ask_token(world, first).json["scope"] == "payments:read payments:write"
    listed = done(run("api-clients", "list", "--merchant", merchant_id))
    assert listed == f"{first.client_id}  {merchant_id}  Till  enabled  payments:read payments:write\n"
    assert first.client_id not in done(run("api-clients", "list", "--merchant", "mer_lab"))

    second = credentials(done(run("api-clients", "rotate-secret", first.client_id)))
    assert "two secrets until" in done(run("api-clients", "list"))
    assert [ask_token(world, pair).status_code for pair in (first, second)] == [200, 200]
    third = credentials(done(run("api-clients", "rotate-secret", "--overlap-hours", "0", first.client_id)))
    assert [ask_token(world, pair).status_code for pair in (first, second, third)] == [401, 401, 200]

    assert "is disabled" in done(run("api-clients", "disable", first.client_id))
    assert ask_token(world, third).status_code == 401
    assert "  disabled 2" in done(run("api-clients", "list"))


@pytest.mark.parametrize(
    "words",
    [
        ("merchants", "show", "mer_nobody"),
        ("merchants", "create", "--name", "n" * 201, "--address", "x"),
        ("merchants", "create", "--name", " ", "--address", "x"),
        ("merchants", "create", "--name", "n", "--address", ""),
        ("merchants", "create", "--name", "n", "--address", "x", "--currency", "XXX"),
        ("merchants", "create", "--name", "n", "--address", "x" * 501),
        ("merchants", "create", "--name", "n", "--address", "x", "--currency", "XYZ"),
        ("merchants", "create", "--name", "n", "--address", "x", "--locale", "de"),
        ("merchants", "create", "--name", "two\nlines", "--address", "x"),
        ("merchants", "create", "--name", "\u202eeman", "--address", "x"),
        ("merchants", "create", "--name", "n", "--legal-name", "a\rb", "--address", "x"),
        ("merchants", "create", "--name", "n", "--address", "two\nlines"),
        ("merchants", "change", "mer_nobody", "--name", "n"),
        ("merchants", "change", "mer_lab"),
        ("merchants", "change", "mer_lab", "--name", " "),
        ("merchants", "change", "mer_lab", "--name", "two\nlines"),
        ("merchants", "change", "mer_lab", "--address", " "),
        ("api-clients", "create", "--merchant", "mer_nobody", "--name", "x", "--scope", "payments:read"),
        ("api-clients", "create", "--merchant", "mer_lab", "--name", "x"),
        ("api-clients", "create", "--merchant", "mer_lab", "--name", "x", "--scope", "all"),
        ("api-clients", "rotate-secret", "cli_nobody"),
        ("api-clients", "disable", "cli_nobody"),
        ("signing-keys", "rotate", "--algorithm", "none"),
        ("unresolved", "--older-than", "-1"),
        ("unresolved", "--older-than", "x"),
        ("unresolved", "--limit", "0"),
        ("outbox", "list", "--limit", "0"),
        ("webhooks", "list", "--limit", "-1"),
        ("webhooks", "list", "--limit", "9" * 20),
        ("outbox", "list", "--limit", "9" * 20),
        ("outbox", "replay", "9" * 20),
        ("outbox", "replay", "0"),
        ("webhooks", "show", "9" * 20),
        ("webhooks", "replay", "9" * 20),
        ("unresolved", "--limit", "9" * 20),
        ("unresolved", "--older-than", "9" * 20),
        ("api-clients", "list", "--merchant", "mer_x"),
        ("merchants", "show", "é"),
        ("signing-keys", "revoke", "é"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(world: World, run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)

    assert result.exit_code in {1, 2}
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output
    assert len(world.all(Merchant)) == 1
    assert world.all(ApiClient) == []


def test_an_age_that_is_none_is_answered_with_its_unit(run: Run) -> None:
    assert "'x' is not a valid number of seconds" in run("unresolved", "--older-than", "x").stderr


def test_keys_are_listed_with_what_they_do(run: Run) -> None:
    assert done(run("signing-keys", "list")).endswith("  EdDSA  signs\n")

    rotated = done(run("signing-keys", "rotate", "--algorithm", "RS256"))

    old, new = done(run("signing-keys", "list")).splitlines()
    assert "  EdDSA  signs until 2" in old
    assert "  RS256  signs from 2" in new
    assert rotated.split()[0] == new.split()[0]
    done(run("signing-keys", "rotate", "--now"))
    states = [line.split("  ")[2] for line in done(run("signing-keys", "list")).splitlines()]
    assert states[0] == "published, no longer signs"
    assert states[2] == "signs"


def test_a_revoked_key_is_replaced_at_once(run: Run) -> None:
    stolen = done(run("signing-keys", "list")).split()[0]

    said = done(run("signing-keys", "revoke", stolen)).splitlines()

    revoked, successor = (line.split("  ") for line in done(run("signing-keys", "list")).splitlines())
    assert said == [f"{stolen} is revoked.", f"{successor[0]} signs now."]
    assert (revoked[2], successor[2]) == ("withdrawn", "signs")
    assert "There is no such signing key" in run("signing-keys", "revoke", "another").stderr


def test_every_command_explains_itself(run: Run) -> None:
    for words in (
        (),
        ("merchants",),
        ("api-clients",),
        ("signing-keys",),
        ("vault",),
        ("api-clients", "create"),
    ):
        assert "Usage: " in done(run(*words, "--help"))


def held(file: Path) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(file.read_text())
    return document


def works(world: World, document: Mapping[str, Any]) -> bool:
    pair = ClientCredentials(document["client_id"], document["client_secret"])
    return ask_token(world, pair).status_code == 200


def test_the_labs_credentials_are_kept_as_long_as_they_work(world: World, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "run" / "lab-client.json"
    seed = ("seed", "--lab-client-file", str(file))

    assert "Wrote new credentials" in done(run(*seed, PUBLIC_BASE_URL="http://127.0.0.1:8081/"))
    first = held(file)
    assert set(first) == {"client_id", "client_secret", "token_url"}
    assert first["token_url"] == "http://127.0.0.1:8081/oauth2/token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert works(world, first)
    assert list(file.parent.iterdir()) == [file]

    assert "Kept the credentials" in done(run(*seed))
    again = held(file)
    assert again == {**first, "token_url": "http://127.0.0.1:8080/oauth2/token"}

    file.unlink()
    done(run(*seed))
    renewed = held(file)
    assert renewed["client_id"] == first["client_id"]
    assert renewed["client_secret"] != first["client_secret"]
    assert works(world, renewed)
    assert works(world, first)  # for a day: somebody may have copied it
    assert len(world.all(ApiClient)) == 1


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"client_id": "cli_lab"}', '{"client_id": 1, "client_secret": 2}']
)
def test_a_file_that_is_none_of_ours_is_replaced(world: World, run: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "lab-client.json"
    file.write_text(text)

    done(run("seed", "--lab-client-file", str(file)))

    assert works(world, held(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_of_another_database_or_of_an_older_secret_is_renewed(
    world: World, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "lab-client.json"
    seed = ("seed", "--lab-client-file", str(file))
    done(run(*seed))
    client_id, old = held(file)["client_id"], held(file)["client_secret"]
    done(run("api-clients", "rotate-secret", client_id))

    done(run(*seed))
    assert held(file)["client_secret"] != old
    assert works(world, held(file))

    file.write_text(json.dumps({"client_id": "cli_other", "client_secret": "cs_other"}))
    done(run(*seed))
    assert works(world, held(file))


def test_a_disabled_lab_client_stays_disabled(world: World, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "lab-client.json"
    done(run("seed", "--lab-client-file", str(file)))
    done(run("api-clients", "disable", held(file)["client_id"]))

    done(run("seed", "--lab-client-file", str(file)))

    assert not works(world, held(file))


def test_production_gets_a_signing_key_and_no_lab(database_url: str, tmp_path: Path) -> None:
    environment = {**PRODUCTION_ENVIRONMENT, "DATABASE_URL": database_url, "LOG_LEVEL": "CRITICAL"}

    def invoke(*words: str, **changes: str) -> Result:
        return CliRunner().invoke(main, words, env={**environment, **changes})

    done(invoke("migrate"))
    file = tmp_path / "lab-client.json"
    assert done(invoke("seed", "--lab-client-file", str(file))) == "Production has no lab data.\n"
    assert not file.exists()
    assert done(invoke("merchants", "list")) == ""
    assert done(invoke("signing-keys", "list")).endswith("  signs\n")
    for name, value in {
        "PUBLIC_BASE_URL": "",
        "CLIENT_SECRET_KEY": "lab-client-secret-key",
        "TOKEN_KEY_ENCRYPTION_KEY": "",
        "VAULT_KEYS": "",
        "MESSAGES_KEPT_DAYS": "7",
    }.items():
        refused = invoke("merchants", "list", **{name: value})
        assert refused.exit_code == 1
        assert name in refused.stderr


def test_the_janitor_says_what_it_did_and_what_is_unresolved_is_listed(world: World, run: Run) -> None:
    seller = TestMerchant.of(world)
    held, taken = seller.held(), seller.taken()
    world.bank.follow_up_script = [lose_it, lose_it]
    seller.capture(held, amount=100)
    refund_id = seller.refund(taken, amount=200).json["id"]
    (capture,) = [capture.public_id for capture in world.all(Capture) if capture.state == "unknown"]

    fresh = done(run("unresolved", "--older-than", "600"))
    early = done(run("janitor"))
    world.age(700)
    listed = done(run("unresolved", "--older-than", "600")).splitlines()
    worked = done(run("janitor", "--once"))

    assert (fresh, early) == ("There are none.\n", "Nothing is due.\n")
    assert len(listed) == 2
    assert re.match(
        rf"{capture}  unknown  for 7\d\d s  100 MAD  {seller.shop.merchant_id}  {held} authorized  ",
        listed[0],
    )
    assert re.match(
        rf"{refund_id}  unknown  for 7\d\d s  200 MAD  .*{taken} completed  asked 0 time", listed[1]
    )
    # The command knows no scripted bank: whom it asks is away. Log lines come between.
    assert [line for line in worked.splitlines() if not line.startswith("{")] == [
        f"{capture}  unknown  {held}  authorized",
        f"{refund_id}  unknown  {taken}  completed",
        "2 movement(s) were asked about.",
    ]
    assert "asked 1 time(s)" in done(run("unresolved"))
    assert "bank-simulator: NewConnectionError" in done(run("unresolved"))


def test_a_merchant_is_changed_where_it_is_given_something_new(world: World, run: Run) -> None:
    before = world.all(Merchant)[0]

    said = done(
        run(
            "merchants",
            "change",
            "mer_lab",
            "--name",
            "Librairie Zoé",
            "--address",
            "1, rue Neuve",
            "--address",
            "Fès",
        )
    )

    (after,) = world.all(Merchant)
    assert said == "mer_lab is changed.\n"
    assert (after.name, after.address) == ("Librairie Zoé", "1, rue Neuve\nFès")
    assert (after.legal_name, after.locale, after.currency) == (
        before.legal_name,
        before.locale,
        before.currency,
    )
