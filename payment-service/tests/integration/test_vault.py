"""The vault: what is stored can be read by nobody but us, and only as what it was stored for."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from payment_service.app import create_app
from payment_service.config import Config
from payment_service.controllers.request import EXTENSION
from payment_service.errors import SealedCardUnreadable
from payment_service.extensions import db
from payment_service.models.card import SealedCard
from payment_service.models.merchant import Merchant
from payment_service.values.cards import CardData
from payment_service.vault.envelopes import EnvelopeKeys
from payment_service.vault.vault import Purpose, Vault, forget_card
from service_kit.clock import utc_now
from service_kit.process.config import ConfigurationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.testkit.payments.world import World

PAN = "5105105105105100"
CARD = CardData(PAN, 12, 2031, "9071")
OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def stored(world: World, owner: str, vault: Vault | None = None, card: CardData = CARD) -> SealedCard:
    vault = vault or world.dependencies.vault
    merchant_id = world.all(Merchant)[0].id
    world.change(lambda session: vault.store(session, owner, Purpose.REVIEW, card, merchant_id, utc_now()))
    (row,) = world.all(SealedCard, owner=owner)
    return row


def opened(world: World, owner: str, vault: Vault | None = None) -> CardData | None:
    with world.app.app_context(), db.reading() as session:
        row = session.scalar(select(SealedCard).where(SealedCard.owner == owner))
        if row is None:
            return None
        return (vault or world.dependencies.vault).open(session, owner, Purpose(row.purpose), row.merchant_id)


def test_a_card_comes_back_without_its_cvv(world: World) -> None:
    stored(world, "att_1")

    assert opened(world, "att_1") == CardData(PAN, 12, 2031)
    assert opened(world, "att_2") is None


def test_a_deleted_card_is_gone(world: World) -> None:
    stored(world, "att_1")
    stored(world, "att_2")

    world.change(lambda session: forget_card(session, "att_1"))

    assert opened(world, "att_1") is None
    assert opened(world, "att_2") is not None
    assert len(world.all(SealedCard)) == 1


def test_what_is_stored_and_deleted_in_one_transaction_leaves_nothing(world: World) -> None:
    vault, merchant_id = world.dependencies.vault, world.all(Merchant)[0].id

    def work(session: Session) -> None:
        vault.store(session, "att_1", Purpose.REVIEW, CARD, merchant_id, utc_now())
        forget_card(session, "att_1")

    world.change(work)

    assert world.all(SealedCard) == []


def test_an_owner_has_one_card(world: World) -> None:
    stored(world, "att_1")

    with pytest.raises(IntegrityError):
        stored(world, "att_1")


def test_the_same_card_never_looks_the_same(world: World) -> None:
    first, second = stored(world, "att_1"), stored(world, "att_2")

    assert {first.sealed, first.wrapped_key}.isdisjoint({second.sealed, second.wrapped_key})
    for row in (first, second):
        for text in (row.sealed, row.wrapped_key):
            assert PAN.encode() not in base64.b64decode(text)


def test_the_longest_number_fits_its_column(world: World) -> None:
    card = CardData("4" * 19, 12, 2099)

    row = stored(world, "att_" + "1" * 60, card=card)

    assert opened(world, row.owner) == card
    assert len(row.sealed) <= SealedCard.sealed.type.length
    assert len(row.wrapped_key) <= SealedCard.wrapped_key.type.length


def flipped(text: str) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= 1
    return base64.b64encode(bytes(raw)).decode()


CHANGES: Mapping[str, Callable[[SealedCard], object]] = {
    "another owner": lambda row: setattr(row, "owner", "att_9"),
    "another purpose": lambda row: setattr(row, "purpose", Purpose.PAYMENT_METHOD),
    "an unknown key": lambda row: setattr(row, "key_id", "none"),
    "another text": lambda row: setattr(row, "sealed", flipped(row.sealed)),
    "another data key": lambda row: setattr(row, "wrapped_key", flipped(row.wrapped_key)),
    "a shortened text": lambda row: setattr(row, "sealed", row.sealed[:8]),
    "no base64": lambda row: setattr(row, "sealed", "x"),
    "nothing": lambda row: setattr(row, "wrapped_key", ""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_row_that_was_changed_opens_no_more(world: World, change: Callable[[SealedCard], object]) -> None:
    row = stored(world, "att_1")

    def work(session: Session) -> None:
        change(session.get_one(SealedCard, row.id))

    world.change(work)

    (changed,) = world.all(SealedCard)
    with pytest.raises(SealedCardUnreadable):
        opened(world, changed.owner)


def test_a_text_that_was_moved_to_another_row_opens_no_more(world: World) -> None:
    first, second = stored(world, "att_1"), stored(world, "att_2")

    def work(session: Session) -> None:
        row = session.get_one(SealedCard, second.id)
        row.sealed, row.wrapped_key = first.sealed, first.wrapped_key

    world.change(work)

    with pytest.raises(SealedCardUnreadable, match="att_2"):
        opened(world, "att_2")


def test_the_first_key_seals_and_all_of_them_open(world: World) -> None:
    before = Vault(EnvelopeKeys({"old": OLD}))
    after = Vault(EnvelopeKeys({"new": NEW, "old": OLD}))
    assert stored(world, "att_1", before).key_id == "old"
    assert stored(world, "att_2", after).key_id == "new"

    assert opened(world, "att_1", after) == opened(world, "att_2", after) == CardData(PAN, 12, 2031)
    with pytest.raises(SealedCardUnreadable):
        opened(world, "att_2", before)
    with pytest.raises(SealedCardUnreadable):
        opened(world, "att_1", Vault(EnvelopeKeys({"old": NEW})))


def test_wrapping_again_changes_the_key_alone(world: World) -> None:
    row = stored(world, "att_1", Vault(EnvelopeKeys({"old": OLD})))
    rotating = Vault(EnvelopeKeys({"new": NEW, "old": OLD}))

    world.change(lambda session: rotating.rewrap(session.get_one(SealedCard, row.id)))

    (after,) = world.all(SealedCard)
    assert (after.key_id, after.sealed) == ("new", row.sealed)
    assert after.wrapped_key != row.wrapped_key
    assert opened(world, "att_1", Vault(EnvelopeKeys({"new": NEW}))) == CardData(PAN, 12, 2031)


def settings(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Config:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Config.from_env()


def key(of: bytes = NEW) -> str:
    return base64.b64encode(of).decode()


@pytest.mark.engines("sqlite")
def test_keys_are_read_in_their_order(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    read = settings(monkeypatch, VAULT_KEYS=f"2026-b:{key()}, 2026-a:{key(OLD)}").vault_keys

    assert list(read.items()) == [("2026-b", NEW), ("2026-a", OLD)]
    vault: Any = create_app(replace(config, vault_keys=read)).extensions[EXTENSION].vault
    assert vault.keys.ids == ("2026-b", "2026-a")
    assert vault.keys.sealing_id == "2026-b"


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    "text",
    ["nothing", f":{key()}", f"a b:{key()}", "a:", "a:abc", f"a:{key(b'short')}", f"a:{key()}!",
     f"a:{key()},a:{key(OLD)}", f"a:{key()},", "a" * 33 + f":{key()}", "1:AAAA\n"],
)  # fmt: skip
def test_keys_that_are_none_stop_the_start_and_are_not_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="VAULT_KEYS") as refused:
        settings(monkeypatch, VAULT_KEYS=text)

    assert key() not in str(refused.value)
