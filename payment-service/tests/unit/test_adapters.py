"""What others say in our words: recorded bodies, and everything that a broken other side may send."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment_service.clients.fraud import AssessmentRequest, _from_body, _to_body
from payment_service.providers.bank_simulator import _from_answer, _to_charge
from payment_service.providers.port import Outcome, ProviderCharge, ProviderResult
from payment_service.values.cards import CardData
from payment_service.values.money import Money
from payment_service.values.statuses import FraudDecision
from service_kit.web.http_client import Answer, OutcomeUnknown

APPROVED = {
    "request_id": "att_01k",
    "kind": "sale",
    "status": "approved",
    "decline_code": None,
    "authorization_code": "A1B2C3",
    "amount_minor": 399998,
    "currency": "MAD",
    "processed_at": "2026-11-21T09:05:00.000Z",
}
ASKED = Money(399998, "MAD")


def answer(body: Any, status: int = 200) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_sale_is_said_in_the_banks_words() -> None:
    request = ProviderCharge(
        "att_01k", Money(399998, "MAD"), CardData("4242424242424242", 1, 2030, "907"), "mer_1", "7"
    )

    assert _to_charge(request) == {
        "request_id": "att_01k",
        "amount_minor": 399998,
        "currency": "MAD",
        "card": {"number": "4242424242424242", "exp_month": 1, "exp_year": 2030, "cvv": "907"},
        "merchant_id": "mer_1",
        "order_id": "7",
    }


@pytest.mark.parametrize(
    ("order_id", "said"),
    [
        ("Order #17/b", "Order--17-b"),
        ("commande é", "commande--"),
        ("طلب", "---"),
        ("a.b_c:d-1", "a.b_c:d-1"),
    ],
)
def test_an_order_is_named_in_letters_that_the_bank_takes(order_id: str, said: str) -> None:
    card = CardData("4242424242424242", 1, 2030, None)

    assert _to_charge(ProviderCharge("att_01k", ASKED, card, "mer_1", order_id))["order_id"] == said


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (APPROVED, ProviderResult(Outcome.APPROVED, authorization_code="A1B2C3", amount=ASKED)),
        (
            {**APPROVED, "status": "declined", "decline_code": "lost_card", "authorization_code": None},
            ProviderResult(Outcome.DECLINED, decline_code="lost_card", amount=ASKED),
        ),
        (
            {**APPROVED, "status": "abandoned", "authorization_code": None},
            ProviderResult(Outcome.ABANDONED, amount=ASKED),
        ),
    ],
)
def test_what_the_bank_said_is_understood(body: Any, result: ProviderResult) -> None:
    assert _from_answer(answer(body)) == result


def test_an_id_that_the_bank_does_not_know_is_not_found() -> None:
    assert _from_answer(answer({"status": 404}, 404)).outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize("status", [201, 202, 204, 301, 400, 401, 409, 422, 429, 500, 503])
def test_any_other_status_may_have_moved_money(status: int) -> None:
    result = _from_answer(answer(APPROVED, status))

    assert (result.outcome, result.detail) == (Outcome.PENDING, f"HTTP {status}")


STRANGE_STATUSES: Sequence[object] = (None, "APPROVED", "ok", 1, True, ["approved"], {})


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        7,
        "approved",
        {},
        *({**APPROVED, "status": status} for status in STRANGE_STATUSES),
    ],
)
def test_a_body_that_we_do_not_understand_may_have_moved_money(body: Any) -> None:
    assert _from_answer(answer(body)).outcome is Outcome.PENDING


def test_a_body_that_is_no_json_may_have_moved_money() -> None:
    with pytest.raises(OutcomeUnknown):
        _from_answer(answer(b"<html>approved</html>"))


@pytest.mark.parametrize("code", [7, True, ["x"], {"code": "x"}, "x" * 500, "", "a\x00b"])
def test_codes_that_fit_no_column_do_not_stop_a_result(code: Any) -> None:
    declined = _from_answer(answer({**APPROVED, "status": "declined", "decline_code": code}))
    approved = _from_answer(answer({**APPROVED, "authorization_code": code}))

    assert (declined.outcome, approved.outcome) == (Outcome.DECLINED, Outcome.APPROVED)
    for stored in (declined.decline_code, approved.authorization_code):
        assert stored is None or (isinstance(stored, str) and len(stored) <= 40)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=50)
    | st.sampled_from(["approved", "declined"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    st.fixed_dictionaries(
        {}, optional={"status": _JSON, "decline_code": _JSON, "authorization_code": _JSON, "kind": _JSON}
    )
    | _JSON
)
def test_whatever_the_bank_sends_there_is_a_result(body: Any) -> None:
    assert _from_answer(answer(body)).outcome in set(Outcome)


def test_an_attempt_is_said_in_fraud_services_words() -> None:
    request = AssessmentRequest(
        attempt_id="att_1",
        payment_id="pay_1",
        merchant_id="1",
        amount=Money(399998, "MAD"),
        card_fingerprint="f" * 64,
        card_bin="999999",
        card_last4="9999",
        user_id="1",
        order_id="1",
        client_ip=None,
        has_cvv=True,
    )

    assert _to_body(request) == {
        "attempt_id": "att_1",
        "payment_id": "pay_1",
        "merchant_id": "1",
        "amount_minor": 399998,
        "currency": "MAD",
        "card": {"fingerprint": "f" * 64, "bin": "999999", "last4": "9999"},
        "user_id": "1",
        "order_id": "1",
        "client_ip": None,
        "has_cvv": True,
    }


def test_fraud_services_decision_is_understood() -> None:
    assessment = _from_body(
        {
            "assessment_id": "asm_1",
            "decision": "decline",
            "score": 100,
            "reasons": [{"rule": "deny_list", "detail": "card"}],
        }
    )

    assert assessment.decision is FraudDecision.DECLINE
    assert assessment.reasons == [{"rule": "deny_list", "detail": "card"}]


@pytest.mark.parametrize(
    "body", [None, [], "approve", {}, {"decision": None}, {"decision": "APPROVE"}, {"decision": ["approve"]}]
)
def test_a_decision_that_nobody_knows_is_no_answer(body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        _from_body(body)


@pytest.mark.parametrize("reasons", [None, 5, True, "text", {"rule": "x"}, ["text", 7]])
def test_reasons_that_are_none_do_not_stop_a_decision(reasons: Any) -> None:
    assessment = _from_body({"decision": "approve", "reasons": reasons})

    assert assessment.decision is FraudDecision.APPROVE
    assert list(assessment.reasons) == []
