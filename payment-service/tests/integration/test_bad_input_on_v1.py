"""Bad input on /v1: refused on every route, nothing stored, nobody called. And the edges of what is good."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.payment import Payment
from payment_service.values.money import Money
from service_kit.web import strict_json
from service_kit.web.standard_app import MAX_BODY_BYTES

from tests.testkit.payments.access import A_PAYMENT, Shop, open_shop
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.world import World

LARGEST = 999_999_999_999
LAB_PAYMENTS = 2  # seeded
# No minor unit, two digits, three, four.
CURRENCIES = ["JPY", "XOF", "MAD", "EUR", "TND", "KWD", "BHD"]
NO_TEXTS: list[Any] = [1, 1.5, True, None, [], {"nested": "v"}, "a\nb", "\x00", "\u202e"]
OTHER_IDS = [
    *("pay_", "pay_0", "PAY_01JD3V6Z9GQZ4Y2T8N5R7C0B1A", "7", "0", "-1", "None", "null", "undefined", "*"),
    *(f"{kind}_01JD3V6Z9GQZ4Y2T8N5R7C0B1A" for kind in ("re", "cap", "void", "att", "mer", "cli", "evt")),
    *("pay_01JD3V6Z9GQZ4Y2T8N5R7C0B1A%20", "pay_%00", "p%C3%A4y_1", "%F0%9F%92%B3", "a'--", "x" * 4000),
]


# What is refused before any database is asked.
SQLITE = pytest.mark.engines("sqlite")


@pytest.fixture
def shop(world: World) -> Shop:
    return open_shop(world)


def posts(world: World) -> Iterator[tuple[str, str]]:
    """Yield the address and the path of every POST whose body is described, with an id of nobody."""
    for path, item in world.client.get("/openapi.json").json["paths"].items():
        if path.startswith("/v1/") and "requestBody" in item.get("post", {}):
            yield path, "/".join("x_1" if part.startswith("{") else part for part in path.split("/"))


def send(world: World, shop: Shop, url: str, body: bytes, content_type: str = "application/json") -> Answer:
    headers = {**shop.bearer, "Idempotency-Key": "one-key"}
    return world.client.post(url, data=body, headers=headers, content_type=content_type)


def assert_untouched(world: World) -> None:
    """Nothing is stored, a key neither, so that the same key may come again with better input."""
    assert len(world.all(Payment)) == LAB_PAYMENTS
    assert world.all(IdempotencyKey) == []
    assert not world.bank.sales
    assert not world.fraud.requests


def assert_problem(answer: Answer, status: int, where: str) -> None:
    assert answer.status_code == status, f"{where}: {answer.text}"
    assert answer.content_type == "application/problem+json", where
    assert answer.json["status"] == status
    assert answer.json["error"]


@SQLITE
@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"null", b"[]", b"7", b'"text"', b"true", b"\xff\xfe", b"amount=1"),
        b"[" * 5000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"amount":1,"amount":2,"reason":"a","reason":"b","card":1,"card":2,"payment":"a","payment":"b"}',
        *(b'{"amount":%s,"reason":%s,"card":%s}' % (word, word, word) for word in (b"NaN", b"-Infinity")),
        b'{"reason":"\\ud800","metadata":{"\\ud800":"a"},"card":{"number":"\\ud800"}}',
        b'{"amount":1e99999999999999999999}',
        b'{"amount":' + b"9" * 5000 + b"}",
        b'{"no_such_member":1}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_malformed_body_is_refused_on_every_route(world: World, shop: Shop, body: bytes) -> None:
    urls = dict(posts(world))
    assert "/v1/payments" in urls
    for path, url in urls.items():
        assert_problem(send(world, shop, url, body), 400, path)
    assert_untouched(world)


@SQLITE
def test_an_oversize_body_is_refused_on_every_route(world: World, shop: Shop) -> None:
    body = json.dumps({**A_PAYMENT, "description": "a" * MAX_BODY_BYTES}).encode()
    for path, url in posts(world):
        assert_problem(send(world, shop, url, body), 413, path)
    assert_untouched(world)


@SQLITE
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"]
)
def test_a_body_that_does_not_say_it_is_json_is_refused_on_every_route(
    world: World, shop: Shop, content_type: str
) -> None:
    for path, url in posts(world):
        assert_problem(send(world, shop, url, json.dumps(A_PAYMENT).encode(), content_type), 415, path)
    assert_untouched(world)


@pytest.mark.parametrize("other_id", OTHER_IDS, ids=lambda text: text[:30])
def test_ids_of_other_kinds_are_not_found_on_any_route(world: World, shop: Shop, other_id: str) -> None:
    bodies = {"confirm": {"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031}}}
    for rule in world.app.url_map.iter_rules():
        if not (rule.rule.startswith("/v1") and rule.arguments):
            continue
        url = "/".join(other_id if part.startswith("<") else part for part in rule.rule.split("/"))
        if "POST" in (rule.methods or ()):
            body = bodies.get(url.rsplit("/", 1)[1], {"reason": "because"} if "detach" not in url else None)
            if url.endswith("/capture"):
                body = {}
            assert_problem(shop.post(world, url, body), 404, url)
        else:
            assert_problem(shop.get(world, url), 404, url)


@SQLITE
@pytest.mark.parametrize(
    ("query", "name", "wrong"),
    [
        ("statuss=failed", "statuss", "Unknown parameter. There is"),
        ("Limit=1", "Limit", "Unknown parameter. There is"),
    ],
)
def test_a_parameter_that_is_not_read_is_refused_on_every_route(
    world: World, shop: Shop, query: str, name: str, wrong: str
) -> None:
    routes = [rule for rule in world.app.url_map.iter_rules() if rule.rule.startswith("/v1")]
    for rule in routes:
        url = "/".join("pay_any" if part.startswith("<") else part for part in rule.rule.split("/"))
        for send_it in [shop.get] if "GET" in (rule.methods or ()) else [shop.post]:
            answer = send_it(world, f"{url}?{query}")

            assert_problem(answer, 400, url)
            assert list(answer.json["errors"]) == [name]
            assert answer.json["errors"][name][0].startswith(wrong)
    assert len(routes) > 20
    assert_untouched(world)


@SQLITE
def test_a_misspelt_filter_is_told_what_there_is(world: World, shop: Shop) -> None:
    answer = shop.get(world, "/v1/events?kind=payment.failed&limit=1&limit=2")

    assert answer.json["errors"] == {
        "kind": [
            "Unknown parameter. There is: created_from, created_to, ending_before, limit, payment, "
            "starting_after, type."
        ],
        "limit": ["Given more than once."],
    }


@SQLITE
def test_real_ids_of_other_things_are_not_found_either(world: World, shop: Shop) -> None:
    payment_id = shop.create(world).json["id"]
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031}
    method_id = shop.post(world, "/v1/payment-methods", {"card": card}).json["id"]

    assert_problem(shop.get(world, f"/v1/payments/{method_id}"), 404, "payment method")
    assert_problem(shop.get(world, f"/v1/payment-methods/{payment_id}"), 404, "payment")
    assert_problem(shop.get(world, f"/v1/disputes/{payment_id}"), 404, "payment")


@pytest.mark.parametrize("currency", CURRENCIES)
def test_every_amount_reaches_the_bank_to_the_minor_unit(world: World, shop: Shop, currency: str) -> None:
    amounts = [1, 9, 10, 99, 100, 999, 1000, LARGEST - 1, LARGEST]
    for amount in amounts:
        answer = shop.pay(world, amount=amount, currency=currency)

        assert answer.status_code == 201
        shown = answer.json
        assert (shown["amount"], shown["amount_captured"], shown["currency"]) == (amount, amount, currency)
    assert [sale.amount for sale in world.bank.sales] == [Money(amount, currency) for amount in amounts]


@SQLITE
@pytest.mark.parametrize("currency", ["JPY", "MAD", "TND"])
def test_what_is_no_amount_is_refused(world: World, shop: Shop, currency: str) -> None:
    beyond: list[Any] = [0, -1, -LARGEST, LARGEST + 1, 2**63, 2**64, 10**30, 0.5, 1.5, 1e-9]
    for amount in [*beyond, "1", "", None, True, False, [1], {}]:
        answer = shop.create(world, amount=amount, currency=currency)

        assert_problem(answer, 400, repr(amount))
        assert list(answer.json["errors"]) == ["amount"]
    assert_untouched(world)


def test_a_whole_amount_may_be_written_with_a_fraction_of_nothing(world: World, shop: Shop) -> None:
    """JSON Schema counts 19999.0 as an integer; it is the same request, too."""
    body = json.dumps({**A_PAYMENT, "amount": 19999.0}).encode()

    answers = [send(world, shop, "/v1/payments", text) for text in (body, json.dumps(A_PAYMENT).encode())]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert answers[1].headers["Idempotent-Replayed"] == "true"


@SQLITE
@pytest.mark.parametrize(
    "currency",
    [
        "mad",
        "DEM",
        "XAU",
        "MRO",
        "CLF",
        "MA",
        "MADD",
        "ZZZ",
        "M4D",
        " MAD",
        "MAD\n",
        "\u041cAD",
        "",
        None,
        504,
        ["MAD"],
        "XXXX",
        "€€€",
    ],
)
def test_an_unknown_currency_is_refused(world: World, shop: Shop, currency: Any) -> None:
    answer = shop.create(world, currency=currency)

    assert_problem(answer, 400, "/v1/payments")
    assert list(answer.json["errors"]) == ["currency"]
    assert_untouched(world)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {f"key-{number}": "v" for number in range(50)},
        {"k" * 40: "v" * 500},
        {"\U0001f4b3" * 40: "\u00e9" * 500},
        {"empty": "", "a.b": "c", "Clé": "l\u2019été", "__proto__": "x"},
    ],
    ids=["none", "fifty", "longest", "characters not bytes", "odd words"],
)
def test_metadata_up_to_its_limits_comes_back_as_it_was(
    world: World, shop: Shop, metadata: dict[str, str]
) -> None:
    created = shop.create(world, metadata=metadata)

    assert created.status_code == 201
    assert shop.get(world, f"/v1/payments/{created.json['id']}").json["metadata"] == metadata


@SQLITE
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        *((f'"{text}"', text) for text in ("0", "20", "5.5", "20.00", "100", "100.0000", "0.0001")),
        *(
            ("0", "0"),
            ("20", "20"),
            ("20.0", "20"),
            ("5.50", "5.50"),
            ("1e1", "10"),
            ("1e-4", "0.0001"),
            ("null", None),
        ),
    ],
)
def test_a_tax_rate_is_shown_as_it_was_given(
    world: World, shop: Shop, written: str, shown: str | None
) -> None:
    answer = send(world, shop, "/v1/payments", a_line_with(written))

    assert answer.status_code == 201, answer.text
    assert answer.json["line_items"][0]["tax_rate"] == shown


@SQLITE
@pytest.mark.parametrize(
    "written",
    [
        *("1e-100000000", "1e-5000000", "-1e-200000000", "0e-100000000", "1e100000000", "0." + "3" * 50_000),
        *("-1", "100.0001", "101", "1e3", "5.00001", "true", "[]"),
        *(
            '"1e-100000000"',
            '"1e-5000000"',
            f'"0.{"3" * 50_000}"',
            '"1_0"',
            '"٢٠"',
            '" 5 "',
            '"5\\n"',
            '"-0"',
            '"+5"',
        ),
        *('"100.00001"', '"101"', '"5.00001"', '"5."', '".5"', '"5,5"', '"NaN"', '"1e1"', '""'),
    ],
    ids=lambda written: written[:20],
)
def test_what_is_no_tax_rate_is_refused(world: World, shop: Shop, written: str) -> None:
    assert_problem(send(world, shop, "/v1/payments", a_line_with(written)), 400, "/v1/payments")
    assert_untouched(world)


def a_line_with(tax_rate: str) -> bytes:
    line = {"name": "Livre", "quantity": 1, "unit_amount": 19999, "tax_rate": "here"}
    return json.dumps({**A_PAYMENT, "line_items": [line]}).replace('"here"', tax_rate).encode()


def test_what_is_kept_of_a_payment_is_no_longer_than_what_was_sent(world: World, shop: Shop) -> None:
    """Letters beyond ASCII are kept as UTF-8: as JSON's escapes they would be three times as long."""
    metadata = {f"clé-{number}": "é" * 500 for number in range(50)}
    body = json.dumps({**A_PAYMENT, "metadata": metadata}, ensure_ascii=False).encode()

    answer = send(world, shop, "/v1/payments", body)

    assert answer.status_code == 201
    assert answer.json["metadata"] == metadata
    (payment,) = world.all(Payment, public_id=answer.json["id"])
    assert payment.details is not None
    assert len(payment.details.encode()) <= len(body)


@SQLITE
def test_what_grows_beyond_a_body_as_it_is_kept_is_refused(world: World, shop: Shop) -> None:
    """A line item gets what it leaves out, so that many grow by a few bytes each."""
    metadata = {f"k{number}": "é" * 500 for number in range(50)}

    def body(name: str) -> bytes:
        lines = [{"name": name, "quantity": 1, "unit_amount": 1}] * 100
        given = {**A_PAYMENT, "line_items": lines, "metadata": metadata}
        return strict_json.dumps(given, only_ascii=False).encode()

    largest = body("x" * ((MAX_BODY_BYTES - len(body(""))) // 100))
    answer = send(world, shop, "/v1/payments", largest)

    assert_problem(answer, 400, "/v1/payments")
    assert "bytes we keep" in answer.json["detail"]
    assert_untouched(world)


@SQLITE
@pytest.mark.parametrize(
    "metadata",
    [
        {f"key-{number}": "v" for number in range(51)},
        {"k" * 41: "v"},
        {"": "v"},
        {"k": "v" * 501},
        *({"k": value} for value in NO_TEXTS),
        {"a\nb": "v"},
        *([], "text", 7, None),
    ],
    ids=lambda metadata: repr(metadata)[:30],
)
def test_metadata_beyond_its_limits_is_refused(world: World, shop: Shop, metadata: Any) -> None:
    answer = shop.create(world, metadata=metadata)

    assert_problem(answer, 400, "/v1/payments")
    assert all(name.startswith("metadata") for name in answer.json["errors"])
    assert_untouched(world)


@SQLITE
@pytest.mark.parametrize("moment", ["2026-11-21", "2026-11-21T09:00:00", "yesterday"])
def test_a_time_without_its_offset_is_told_how_to_write_one(world: World, shop: Shop, moment: str) -> None:
    answer = shop.get(world, "/v1/payments", created_from=moment)

    assert answer.status_code == 400
    assert answer.json["errors"] == {
        "created_from": ["Must be a time with an offset from UTC, such as 2026-11-21T09:00:00Z."]
    }


@SQLITE
def test_what_has_been_given_back_whole_is_told_that_nothing_is_left(world: World, shop: Shop) -> None:
    payment_id = shop.pay(world).json["id"]
    assert shop.post(world, "/v1/refunds", {"payment": payment_id}).status_code == 201

    answer = shop.post(world, "/v1/refunds", {"payment": payment_id, "amount": 1})

    assert_problem(answer, 422, "refund")
    assert answer.json["detail"] == "Nothing is left that could be refunded."
    assert answer.json["largest_amount"] == 0


IN_TEXT = "paid by 4111 1111 1111 1111"


@SQLITE
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"order_id": IN_TEXT}, "order_id"),
        ({"description": IN_TEXT}, "description"),
        ({"metadata": {"note": IN_TEXT}}, "metadata.note.value"),
        ({"metadata": {IN_TEXT: "note"}}, "metadata.paid by *************.key"),
        ({"customer": {"id": IN_TEXT}}, "customer.id"),
        ({"customer": {"name": IN_TEXT}}, "customer.name"),
        ({"customer": {"email": "4111111111111111@example.com"}}, "customer.email"),
        ({"line_items": [{"name": IN_TEXT, "quantity": 1, "unit_amount": 1}]}, "line_items.0.name"),
    ],
)
def test_no_card_number_is_stored_in_a_text(
    world: World, shop: Shop, changes: dict[str, object], field: str
) -> None:
    answer = shop.create(world, **changes)

    assert_problem(answer, 400, field)
    assert list(answer.json["errors"]) == [field]
    assert "1111" not in answer.text
    assert_untouched(world)


@SQLITE
def test_the_card_that_pays_stands_in_no_text_of_its_payment(world: World, shop: Shop) -> None:
    answer = shop.pay(world, card={**V1_CARD, "number": "501800000009"}, description="was 5018 0000 0009")

    assert_problem(answer, 400, "own card")
    assert list(answer.json["errors"]) == ["description"]
    assert_untouched(world)


@SQLITE
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/refunds", {"payment": "{id}", "reason": IN_TEXT}),
        ("/v1/payments/{id}/cancel", {"reason": IN_TEXT}),
        ("/v1/payment-methods", {"card": dict(V1_CARD), "customer": {"id": IN_TEXT}}),
    ],
)
def test_no_card_number_is_stored_with_what_follows(
    world: World, shop: Shop, path: str, body: dict[str, object]
) -> None:
    payment_id = shop.create(world).json["id"]
    body = {name: payment_id if value == "{id}" else value for name, value in body.items()}

    answer = shop.post(world, path.format(id=payment_id), body)

    assert_problem(answer, 400, path)
    assert "1111" not in answer.text
