"""Names of requests and fingerprints of parameters."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from payment_service.controllers.idempotency import (
    IS_IDEMPOTENT,
    LONGEST_KEY,
    fingerprint,
    idempotent,
    key_hash,
)
from payment_service.values.cards import CardData
from payment_service.values.statuses import CaptureMethod

SECRET = b"secret"
NUMBER = "4242424242424242"


@dataclass(frozen=True)
class Body:
    amount: int
    card: CardData | None = None
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC


def test_a_key_of_another_merchant_method_or_path_is_another_one() -> None:
    hashes = [
        key_hash(1, "POST", "/v1/refunds", "k", SECRET),
        key_hash(2, "POST", "/v1/refunds", "k", SECRET),
        key_hash(1, "PUT", "/v1/refunds", "k", SECRET),
        key_hash(1, "POST", "/v1/payments", "k", SECRET),
        key_hash(1, "POST", "/v1/refunds", "K", SECRET),
        key_hash(1, "POST", '/v1/refunds","k', "", SECRET),
        key_hash(1, "POST", "/v1/refunds", "k", b"another"),
    ]

    assert len(set(hashes)) == len(hashes)
    assert hashes[0] == key_hash(1, "POST", "/v1/refunds", "k", SECRET)
    assert all(re.fullmatch("[0-9a-f]{64}", text) for text in hashes)


def test_equal_parameters_have_one_fingerprint() -> None:
    assert fingerprint({"a": 1, "b": [{"c": None, "d": "é"}]}, SECRET) == fingerprint(
        {"b": ({"d": "é", "c": None},), "a": 1}, SECRET
    )
    assert fingerprint(Body(100, CardData(NUMBER, 1, 2030, "123")), SECRET) == fingerprint(
        Body(100, CardData(NUMBER, 1, 2030, "999")), SECRET
    )
    assert fingerprint({"card": {"number": NUMBER, "cvv": "1"}}, SECRET) == fingerprint(
        {"card": {"number": NUMBER}}, SECRET
    )
    assert fingerprint({"rate": Decimal("0.20")}, SECRET) == fingerprint({"rate": Decimal("0.2")}, SECRET)


@pytest.mark.parametrize(
    "other",
    [
        None,
        {},
        Body(101, CardData(NUMBER, 1, 2030, "123")),
        Body(100, CardData("4000000000000002", 1, 2030, "123")),
        Body(100, CardData(NUMBER, 1, 2031, "123")),
        Body(100, None),
        Body(100, CardData(NUMBER, 1, 2030, "123"), CaptureMethod.MANUAL),
    ],
)
def test_other_parameters_have_another_fingerprint(other: object) -> None:
    assert fingerprint(other, SECRET) != fingerprint(Body(100, CardData(NUMBER, 1, 2030, "123")), SECRET)


def test_values_of_different_kinds_do_not_look_alike() -> None:
    values: list[Any] = [1, "1", True, "true", None, "null", Decimal("1.5"), "1.5", [], {}, ""]
    values += [datetime(2026, 11, 21, tzinfo=UTC), "2026-11-21T00:00:00+00:00"]

    assert len({fingerprint({"value": value}, SECRET) for value in values}) == len(values)


def test_a_fingerprint_needs_the_secret() -> None:
    assert fingerprint({"number": NUMBER}, SECRET) != fingerprint({"number": NUMBER}, b"another")


def test_what_has_no_one_way_to_be_written_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        fingerprint({"amount": 1.5}, SECRET)


def test_the_decorator_adds_to_what_a_route_says_of_its_statuses() -> None:
    def view() -> None:
        """Do something."""

    vars(view)["_apidoc"] = {"response": {"responses": {409: [{"description": "Not captured yet"}]}}}

    documented: Any = idempotent(view)

    assert getattr(documented, IS_IDEMPOTENT) is True
    responses = documented._apidoc["response"]["responses"]
    assert responses[409] == [
        {"description": "Not captured yet; or the first request with this key is still under way"}
    ]
    assert responses[422][0]["description"] == "This key came with other parameters before"
    (parameter,) = documented._apidoc["manual_doc"]["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("Idempotency-Key", "header", True)
    assert parameter["schema"]["maxLength"] == LONGEST_KEY
