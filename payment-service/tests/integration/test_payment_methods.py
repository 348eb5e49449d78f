"""Stored cards on /v1: each merchant its own, shown without the number, and gone when detached."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from payment_service.extensions import db
from payment_service.models.card import PaymentMethod, SealedCard
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.merchant import Merchant
from payment_service.values.cards import CardData
from payment_service.vault.vault import Purpose
from service_kit.clock import utc_now
from service_kit.web import strict_json
from sqlalchemy import select

from tests.testkit.payments.access import Shop, open_shop
from tests.testkit.payments.client import Answer
from tests.testkit.payments.world import World

PAN = "5105105105105100"
CARD: Mapping[str, Any] = {"number": "5105 1051 0510 5100", "exp_month": 12, "exp_year": 2031, "cvc": "907"}
NUMBERS = iter(range(10**9))
URL = "/v1/payment-methods"


@pytest.fixture
def shop(world: World) -> Shop:
    return open_shop(world)


def post(world: World, shop: Shop, url: str, body: object = None, key: str | None = None) -> Answer:
    headers = {**shop.bearer, "Idempotency-Key": key or f"key-{next(NUMBERS)}"}
    return world.client.post(url, json=body, headers=headers)


def store(world: World, shop: Shop, key: str | None = None, **more: Any) -> Answer:
    return post(world, shop, URL, {"card": CARD, **more}, key)


def stored(world: World, shop: Shop, **more: Any) -> str:
    answer = store(world, shop, **more)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def detach(world: World, shop: Shop, method_id: str, key: str | None = None) -> Answer:
    return post(world, shop, f"{URL}/{method_id}/detach", key=key)


def get(world: World, shop: Shop, path: str = "") -> Answer:
    return world.client.get(f"{URL}{path}", headers=shop.bearer)


def listed(world: World, shop: Shop, query: str = "") -> list[str]:
    answer = get(world, shop, query)
    assert answer.status_code == 200, answer.text
    return [method["id"] for method in answer.json["data"]]


def in_vault(world: World, owner: str) -> CardData | None:
    with world.app.app_context(), db.reading() as session:
        row = session.scalar(select(SealedCard).where(SealedCard.owner == owner))
        if row is None:
            return None
        return world.dependencies.vault.open(session, owner, Purpose.PAYMENT_METHOD, row.merchant_id)


def test_a_card_is_stored_and_shown_without_its_number(world: World, shop: Shop) -> None:
    answer = store(world, shop, customer={"id": "42"})

    assert answer.status_code == 201
    document = dict(answer.json)
    assert re.fullmatch(r"pm_[0-9a-z]{26}", document.pop("id"))
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", document.pop("created_at"))
    assert document == {
        "object": "payment_method",
        "type": "card",
        "card": {"brand": "mastercard", "last4": "5100", "bin": "510510", "exp_month": 12, "exp_year": 2031},
        "customer": {"id": "42"},
        "detached_at": None,
    }
    assert get(world, shop, f"/{answer.json['id']}").json == answer.json
    assert in_vault(world, answer.json["id"]) == CardData(PAN, 12, 2031)
    (row,) = world.all(SealedCard)
    assert (row.purpose, row.merchant_id) == (Purpose.PAYMENT_METHOD, world.all(PaymentMethod)[0].merchant_id)


def test_customer_and_cvc_may_be_left_out(world: World, shop: Shop) -> None:
    card = {name: value for name, value in CARD.items() if name != "cvc"}

    for body in ({"card": card}, {"card": {**card, "cvc": None}, "customer": None}):
        answer = post(world, shop, URL, body)

        assert answer.status_code == 201
        assert answer.json["customer"] is None


def test_a_request_that_arrives_again_stores_nothing_again(world: World, shop: Shop) -> None:
    first = store(world, shop, "key-a")
    again = store(world, shop, "key-a")
    other_cvc = store(world, shop, "key-a", card={**CARD, "cvc": "123"})
    other_card = store(world, shop, "key-a", card={**CARD, "number": "4242424242424242"})
    other_key = store(world, shop, "key-b")

    assert "Idempotent-Replayed" not in first.headers
    for replay in (again, other_cvc):
        assert (replay.status_code, replay.text) == (201, first.text)
        assert replay.headers["Idempotent-Replayed"] == "true"
    assert (other_card.status_code, other_card.json["code"]) == (422, "idempotency_key_reused")
    assert other_key.status_code == 201
    assert len(world.all(PaymentMethod)) == len(world.all(SealedCard)) == 2


def test_a_commit_of_unknown_outcome_is_told_by_the_same_key(world: World, shop: Shop) -> None:
    for is_stored, key in ((True, "kept"), (False, "lost")):
        before = len(world.all(PaymentMethod))
        with world.losing_commit(1, is_stored=is_stored):
            assert store(world, shop, key).status_code == 503

        again = store(world, shop, key)

        assert again.status_code == 201
        assert ("Idempotent-Replayed" in again.headers) is is_stored
        assert len(world.all(PaymentMethod)) == len(world.all(SealedCard)) == before + 1


BAD_CARDS: Mapping[str, Mapping[str, Any]] = {
    "check digit": {"number": PAN[:-1] + "1"},
    "the lab's PAN": {"number": "9999999999999"},
    "too short": {"number": "42424242"},
    "too long": {"number": "4" * 20},
    "letters": {"number": "x" * 16},
    "other digits": {"number": "\u0664" * 16},
    "two blanks": {"number": "5105  105105105100"},
    "a newline": {"number": PAN + "\n"},
    "a number": {"number": int(PAN)},
    "nothing": {"number": None},
    "month 0": {"exp_month": 0},
    "month 13": {"exp_month": 13},
    "month as text": {"exp_month": "12"},
    "half a month": {"exp_month": 1.5},
    "truth": {"exp_month": True},
    "two-digit year": {"exp_year": 31},
    "last year": {"exp_year": 2025},
    "year 2100": {"exp_year": 2100},
    "cvc of two": {"cvc": "12"},
    "cvc of five": {"cvc": "12345"},
    "cvc as number": {"cvc": 123},
}


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("change", BAD_CARDS.values(), ids=BAD_CARDS.keys())
def test_a_card_that_cannot_be_one_is_refused_by_its_field(
    world: World, shop: Shop, change: Mapping[str, Any]
) -> None:
    answer = store(world, shop, card={**CARD, **change})

    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [f"card.{name}" for name in change]
    assert PAN[6:] not in answer.text
    assert world.all(PaymentMethod) == []
    assert world.all(SealedCard) == []
    assert world.all(IdempotencyKey) == []


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    "body",
    [None, [], "card", {}, {"card": None}, {"card": PAN}, {"card": [PAN]}, {"card": {}},
     {"card": CARD, "x": 1},
     {"card": CARD, "customer": "42"}, {"card": CARD, "customer": {}}, {"card": CARD, "customer": {"id": ""}},
     {"card": CARD, "customer": {"id": "x" * 65}}, {"card": CARD, "customer": {"id": 42}},
     {"card": CARD, "customer": {"id": "a\u0000b"}}, {"card": CARD, PAN: 1},
     {"card": CARD, "customer": {"id": "1", PAN: 1}}],
)  # fmt: skip
def test_a_body_that_is_none_is_refused(world: World, shop: Shop, body: object) -> None:
    answer = post(world, shop, URL, body)

    assert answer.status_code in {400, 415}
    assert answer.content_type == "application/problem+json"
    assert PAN not in answer.text
    assert world.all(SealedCard) == []


def test_detaching_deletes_the_number_and_leaves_the_rest_to_be_read(world: World, shop: Shop) -> None:
    method_id, other_id = stored(world, shop), stored(world, shop)

    answer = detach(world, shop, method_id)

    assert answer.status_code == 200
    assert answer.json["detached_at"] is not None
    assert get(world, shop, f"/{method_id}").json == answer.json
    assert listed(world, shop) == [other_id]
    assert in_vault(world, method_id) is None
    assert in_vault(world, other_id) is not None


def test_detaching_again_changes_nothing(world: World, shop: Shop) -> None:
    method_id = stored(world, shop)
    first = detach(world, shop, method_id, "key-a")
    replay = detach(world, shop, method_id, "key-a")
    again = detach(world, shop, method_id, "key-b")

    assert (replay.text, replay.headers["Idempotent-Replayed"]) == (first.text, "true")
    assert (again.status_code, again.json) == (200, first.json)
    assert "Idempotent-Replayed" not in again.headers


def test_an_unknown_or_foreign_payment_method_is_not_there(world: World, shop: Shop) -> None:
    other = open_shop(world, "Theirs")
    theirs = stored(world, other)

    for method_id in (theirs, "pm_nothing", "pay_1"):
        for answer in (get(world, shop, f"/{method_id}"), detach(world, shop, method_id)):
            assert (answer.status_code, answer.json["code"]) == (404, "payment_method_not_found"), method_id
    for method_id in ("x", "1", "%00", "é", "pm_é", "pm_1%0A", "pm_" + "1" * 500, "pm_1'--", "..."):
        for answer in (get(world, shop, f"/{method_id}"), detach(world, shop, method_id)):
            assert (answer.status_code, answer.json["code"]) == (404, "not_found"), method_id
    assert in_vault(world, theirs) is not None
    assert listed(world, shop) == []
    assert listed(world, other) == [theirs]


def test_the_vault_opens_attached_cards_for_their_merchant_and_purpose_only(world: World, shop: Shop) -> None:
    method_id, detached = stored(world, shop), stored(world, shop)
    detach(world, shop, detached)
    ours, lab = (
        world.all(Merchant, public_id=public_id)[0].id for public_id in (shop.merchant_id, "mer_lab")
    )
    wanted = Purpose.PAYMENT_METHOD
    vault = world.dependencies.vault
    with world.app.app_context(), db.reading() as session:
        assert vault.open(session, method_id, wanted, ours) is not None
        assert vault.open(session, detached, wanted, ours) is None
        assert vault.open(session, method_id, wanted, lab) is None
        assert vault.open(session, method_id, Purpose.REVIEW, ours) is None
        assert vault.open(session, "pm_nothing", wanted, ours) is None


def test_lists_are_newest_first_by_customer_and_in_pages(world: World, shop: Shop) -> None:
    ids = [stored(world, shop, customer={"id": "a" if number % 2 else "b"}) for number in range(5)]
    newest_first = ids[::-1]

    assert listed(world, shop) == newest_first
    assert listed(world, shop, "?customer=a") == [ids[3], ids[1]]
    accented = stored(world, shop, customer={"id": "Zoé"})
    assert listed(world, shop, "?customer=Zoé") == [accented]
    for almost in ("A", "zoé", "Zoe", "á"):
        assert listed(world, shop, f"?customer={almost}") == []
    detach(world, shop, accented)
    assert listed(world, shop, "?customer=nobody") == []
    page = get(world, shop, "?limit=2")
    assert (page.json["object"], page.json["url"], page.json["has_more"]) == ("list", URL, True)
    detach(world, shop, ids[3])
    assert listed(world, shop, f"?limit=2&starting_after={ids[3]}") == [ids[2], ids[1]]
    world.clock.advance(61)  # going forwards, what is young is not shown yet
    assert listed(world, shop, f"?ending_before={ids[3]}") == [ids[4]]
    assert get(world, shop, "?starting_after=pm_nothing").status_code == 400
    assert get(world, shop, "?customer=" + "x" * 65).status_code == 400


def test_a_card_whose_key_was_taken_away_is_not_sold_as_missing(world: World, shop: Shop) -> None:
    """What cannot be decrypted is an outage for whoever pays with it; the merchant still sees it."""
    method_id = stored(world, shop)

    def take_key_away(session: Any) -> None:
        session.query(SealedCard).update({"key_id": "gone"})

    world.change(take_key_away)

    assert get(world, shop, f"/{method_id}").status_code == 200
    assert detach(world, shop, method_id).status_code == 200
    assert world.all(SealedCard) == []


def test_the_answer_is_the_stored_one_byte_for_byte(world: World, shop: Shop) -> None:
    answer = store(world, shop, customer={"id": "Zoé"})

    (key,) = world.all(IdempotencyKey)
    assert key.answer_body == answer.text
    assert strict_json.loads(answer.text.encode())["customer"] == {"id": "Zoé"}
    assert key.created_at <= utc_now()
