"""Another key for the vault: online, in batches, and after a kill as if nothing had happened."""

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result
from payment_service.cli import main
from payment_service.commands.upkeep.rotate_vault_keys import RotateVaultKeys, rotate_vault_keys
from payment_service.extensions import db
from payment_service.models.card import SealedCard
from payment_service.models.merchant import Merchant
from payment_service.queries.vault import count_sealed_cards
from payment_service.values.cards import CardData
from payment_service.vault.envelopes import EnvelopeKeys
from payment_service.vault.vault import Purpose, Vault, forget_card
from service_kit.clock import utc_now
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.testkit.payments.world import World

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
BOTH = EnvelopeKeys({"new": NEW, "old": OLD})
CARDS = 120
WITHIN_S = 120.0
Run = Callable[..., Result]


def settings(world: World) -> Mapping[str, str]:
    keys = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in (("new", NEW), ("old", OLD)))
    return {"DATABASE_URL": world.config.database_url, "LOG_LEVEL": "ERROR", "VAULT_KEYS": keys}


@pytest.fixture
def run(world: World) -> Run:
    def invoke(*words: str) -> Result:
        return CliRunner().invoke(main, ["vault", *words], env=settings(world))

    return invoke


def card(number: int) -> CardData:
    return CardData(f"{4000000000000000 + number}", 12, 2031)


def fill(world: World, count: int = CARDS) -> None:
    merchant_id, old = world.all(Merchant)[0].id, Vault(EnvelopeKeys({"old": OLD}))

    def work(session: Session) -> None:
        for number in range(count):
            old.store(session, f"att_{number}", Purpose.REVIEW, card(number), merchant_id, utc_now())

    world.change(work)


def counts(world: World) -> Mapping[str, int]:
    with world.app.app_context():
        return count_sealed_cards()


def opened(world: World, owner: str, keys: EnvelopeKeys) -> CardData | None:
    with world.app.app_context(), db.reading() as session:
        row = session.scalar(select(SealedCard).where(SealedCard.owner == owner))
        if row is None:
            return None
        return Vault(keys).open(session, owner, Purpose(row.purpose), row.merchant_id)


@contextmanager
def rotating(world: World) -> Iterator["subprocess.Popen[bytes]"]:
    """The command in a process of its own, one card at a time, so slowly that one can meet it."""
    command = "from payment_service.cli import main; main()"
    words = ("vault", "rotate-keys", "--batch-size", "1", "--pause-ms", "20")
    process = subprocess.Popen(
        [sys.executable, "-c", command, *words],
        env={**os.environ, **settings(world)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_some_are_done(world: World, process: "subprocess.Popen[bytes]", some: int) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while counts(world).get("new", 0) < some:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_a_rotation_that_is_killed_goes_on_where_it_was(world: World, run: Run) -> None:
    fill(world)
    sealed_before = {row.owner: row.sealed for row in world.all(SealedCard)}

    with rotating(world) as process:
        wait_until_some_are_done(world, process, 10)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL

    after_kill = counts(world)
    assert after_kill["old"] > 0
    assert after_kill["old"] + after_kill["new"] == CARDS
    assert all(opened(world, f"att_{number}", BOTH) == card(number) for number in range(CARDS))
    assert run("status").output == (
        f"new  seals  {after_kill['new']} cards\nold  opens  {after_kill['old']} cards\n"
    )

    again = run("rotate-keys", "--batch-size", "7", "--pause-ms", "0")

    assert again.exit_code == 0, again.output
    assert again.output.endswith(f"new  seals  {CARDS} cards\nold  opens  0 cards\n")
    only_new = EnvelopeKeys({"new": NEW})
    assert all(opened(world, f"att_{number}", only_new) == card(number) for number in range(CARDS))
    assert {row.owner: row.sealed for row in world.all(SealedCard)} == sealed_before


def test_cards_are_stored_opened_and_deleted_while_the_keys_rotate(world: World) -> None:
    fill(world)
    merchant_id, vault, turns = world.all(Merchant)[0].id, Vault(BOTH), 0

    with rotating(world) as process:
        wait_until_some_are_done(world, process, 1)
        while process.poll() is None and turns < CARDS - 20:
            owner, gone = f"pm_{turns}", f"att_{CARDS - 1 - turns}"

            def work(session: Session, owner: str = owner, gone: str = gone) -> None:
                vault.store(session, owner, Purpose.PAYMENT_METHOD, card(1), merchant_id, utc_now())
                forget_card(session, gone)

            world.change(work)
            assert opened(world, owner, BOTH) == card(1)
            assert opened(world, f"att_{turns % 20}", BOTH) == card(turns % 20)
            turns += 1
        output, _ = process.communicate(timeout=WITHIN_S)

    assert turns > 5
    assert process.returncode == 0, output
    assert counts(world) == {"new": CARDS}


def test_nothing_to_do_is_soon_done(world: World, run: Run) -> None:
    assert run("rotate-keys").output.endswith("new  seals  0 cards\nold  opens  0 cards\n")

    fill(world, 3)
    assert run("rotate-keys").output.endswith("new  seals  3 cards\nold  opens  0 cards\n")
    assert run("rotate-keys").output.endswith("new  seals  3 cards\nold  opens  0 cards\n")


@pytest.mark.parametrize("batch_size", [1, 2, 5, 6, 100])
def test_every_card_is_met_once_whatever_the_batches(world: World, batch_size: int) -> None:
    fill(world, 6)
    dependencies = replace(world.dependencies, vault=Vault(BOTH))
    done: list[int] = []

    with world.app.app_context():
        unreadable = rotate_vault_keys(RotateVaultKeys(batch_size, 0), dependencies, done.append)

    assert (sum(done), unreadable, counts(world)) == (6, [], {"new": 6})


def test_an_unreadable_card_is_named_and_holds_nobody_up(world: World, run: Run) -> None:
    fill(world, 5)

    def spoil(session: Session) -> None:
        for owner in ("att_1", "att_3"):
            row = session.query(SealedCard).filter_by(owner=owner).one()
            row.wrapped_key = row.wrapped_key[4:] + row.wrapped_key[:4]

    world.change(spoil)

    result = run("rotate-keys", "--batch-size", "1", "--pause-ms", "0")

    assert result.exit_code == 1
    assert "2 card(s) cannot be decrypted and stay as they are, such as of att_1, att_3" in result.stderr
    assert counts(world) == {"new": 3, "old": 2}


def test_cards_under_a_key_that_was_taken_away_are_shown(world: World, run: Run) -> None:
    merchant_id = world.all(Merchant)[0].id
    lost = Vault(EnvelopeKeys({"lost": NEW}))
    world.change(
        lambda session: lost.store(session, "att_1", Purpose.REVIEW, card(1), merchant_id, utc_now())
    )

    for words in (("status",), ("rotate-keys",)):
        assert "lost  IS NOT IN VAULT_KEYS  1 cards\n" in run(*words).output
    assert counts(world) == {"lost": 1}
