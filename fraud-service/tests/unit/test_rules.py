"""Each rule alone, and their order."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fraud_service.rules import RULES, RULES_VERSION, evaluate
from fraud_service.values.attempt import Attempt, Card
from fraud_service.values.inputs import CardsLimit, Counters, Inputs, ListedValue, Thresholds, VelocityLimit
from fraud_service.values.vocabulary import Decision, ListKind, Subject

THRESHOLDS = Thresholds(
    amount_minor={"MAD": 1000, "JPY": 70, "*": 50},
    velocity_card=VelocityLimit(attempts=3, window_s=60),
    velocity_user=VelocityLimit(attempts=5, window_s=120),
    velocity_ip=VelocityLimit(attempts=7, window_s=180),
    cards_ip=CardsLimit(cards=4, window_s=240),
    cards_bin=CardsLimit(cards=6, window_s=300),
    wrong_cvv=VelocityLimit(attempts=2, window_s=360),
)
ATTEMPT = Attempt(
    attempt_id="att_1",
    payment_id="pay_1",
    merchant_id="mer_1",
    amount_minor=1000,
    currency="MAD",
    card=Card(fingerprint="a" * 64, bin="400000", last4="0002"),
    user_id="1",
    order_id="1",
    client_ip=None,
)
AT_LIMITS = Counters(
    card=3,
    user=5,
    ip=7,
    ip_cards=4,
    ip_cards_paid=0,
    bin_cards=6,
    bin_cards_paid=0,
    wrong_cvvs=1,
    wrong_cvvs_here=1,
)
QUIET = Inputs(ATTEMPT, AT_LIMITS, THRESHOLDS, listed=())


def counted(**changes: Any) -> Inputs:
    return replace(QUIET, counters=replace(AT_LIMITS, **changes))


def with_amount(amount_minor: int, currency: str = "MAD") -> Inputs:
    return replace(QUIET, attempt=replace(ATTEMPT, amount_minor=amount_minor, currency=currency))


def listed(kind: ListKind, subject: Subject = Subject.BIN, reason: str = "we know it") -> ListedValue:
    return ListedValue(kind, subject, "400000", reason, datetime(2026, 11, 21, tzinfo=UTC), "amina", None)


def names(inputs: Inputs) -> list[str]:
    return [finding.rule for finding in evaluate(inputs).findings]


def test_an_attempt_at_every_limit_is_approved_with_score_0() -> None:
    evaluation = evaluate(QUIET)

    assert (evaluation.decision, evaluation.score, evaluation.findings) == (Decision.APPROVE, 0, ())
    assert evaluation.rules_version == RULES_VERSION


@pytest.mark.parametrize(("currency", "limit"), [("MAD", 1000), ("JPY", 70), ("EUR", 50)])
def test_an_amount_over_the_limit_of_its_currency_is_held_for_review(currency: str, limit: int) -> None:
    assert names(with_amount(limit, currency)) == []

    evaluation = evaluate(with_amount(limit + 1, currency))

    assert (evaluation.decision, evaluation.score) == (Decision.REVIEW, 60)
    assert evaluation.findings[0].rule == "amount_limit"
    assert evaluation.findings[0].detail == f"{limit + 1} is more than {limit} minor units of {currency}"


@pytest.mark.parametrize(
    ("over", "rule", "score", "detail"),
    [
        ({"card": 4}, "velocity_card", 90, "more than 3 attempts with this card within 60 s"),
        ({"user": 6}, "velocity_user", 80, "more than 5 attempts by this user within 120 s"),
        ({"ip": 8}, "velocity_ip", 80, "more than 7 attempts from this address within 180 s"),
        (
            {"ip_cards": 5, "ip_cards_paid": 3},
            *("cards_ip", 90, "more than 4 different cards from this address within 240 s did not pay"),
        ),
        (
            {"bin_cards": 7, "bin_cards_paid": 5},
            *("cards_bin", 80, "more than 6 different cards of this BIN within 300 s did not pay"),
        ),
        ({"wrong_cvvs": 2}, "wrong_cvv", 90, "2 wrong security codes with this card within 360 s"),
    ],
)
def test_one_over_a_limit_is_declined(
    over: dict[str, int | None], rule: str, score: int, detail: str
) -> None:
    evaluation = evaluate(counted(**over))

    assert (evaluation.decision, evaluation.score) == (Decision.DECLINE, score)
    assert [(finding.rule, finding.detail) for finding in evaluation.findings] == [(rule, detail)]
    assert not evaluation.is_counted


def test_an_unknown_address_trips_nothing() -> None:
    assert names(counted(ip=None, ip_cards=None, ip_cards_paid=None)) == []


@pytest.mark.parametrize(
    "counters",
    [
        {"ip_cards": 5, "ip_cards_paid": 4},
        {"bin_cards": 7, "bin_cards_paid": 6},
        {"wrong_cvvs": 2, "wrong_cvvs_here": 0},
    ],
)
def test_where_as_many_cards_pay_or_the_codes_were_tried_elsewhere_nobody_is_declined(
    counters: dict[str, int | None],
) -> None:
    assert names(counted(**counters)) == []


def test_who_gives_no_security_code_guesses_none() -> None:
    inputs = replace(counted(wrong_cvvs=2), attempt=replace(ATTEMPT, has_cvv=False))

    assert names(inputs) == []


def test_the_hardest_decision_and_the_highest_score_of_all_limits_hold() -> None:
    inputs = replace(with_amount(1001), counters=replace(AT_LIMITS, card=4, user=6, ip=8))

    evaluation = evaluate(inputs)

    assert names(inputs) == ["amount_limit", "velocity_card", "velocity_user", "velocity_ip"]
    assert (evaluation.decision, evaluation.score) == (Decision.DECLINE, 90)


def test_the_deny_list_declines_and_says_why() -> None:
    evaluation = evaluate(replace(QUIET, listed=(listed(ListKind.DENY, reason="stolen in May"),)))

    assert (evaluation.decision, evaluation.score) == (Decision.DECLINE, 100)
    assert evaluation.findings[0].detail == "bin is on the deny list: stolen in May"


def test_all_entries_that_fit_are_named() -> None:
    entries = (
        listed(ListKind.DENY, Subject.USER, reason="chargebacks"),
        listed(ListKind.DENY, Subject.IP, reason="open proxy"),
    )

    evaluation = evaluate(replace(QUIET, listed=entries))

    assert (
        evaluation.findings[0].detail
        == "user is on the deny list: chargebacks; ip is on the deny list: open proxy"
    )


def test_the_allow_list_approves_what_the_limits_would_decline() -> None:
    inputs = replace(
        with_amount(10**12),
        counters=replace(AT_LIMITS, card=4, ip_cards=5, bin_cards=7, wrong_cvvs=2),
        listed=(listed(ListKind.ALLOW),),
    )

    evaluation = evaluate(inputs)

    assert (evaluation.decision, evaluation.score) == (Decision.APPROVE, 0)
    assert names(inputs) == ["allow_list"]


def test_deny_beats_allow_whatever_the_order_of_the_entries() -> None:
    entries = (listed(ListKind.ALLOW), listed(ListKind.DENY))

    for order in (entries, entries[::-1]):
        evaluation = evaluate(replace(QUIET, listed=order))

        assert evaluation.decision is Decision.DECLINE
        assert [finding.rule for finding in evaluation.findings] == ["deny_list"]


def test_only_what_the_limits_let_through_is_counted() -> None:
    assert evaluate(QUIET).is_counted
    assert evaluate(with_amount(1001)).is_counted
    assert not evaluate(replace(QUIET, listed=(listed(ListKind.ALLOW),))).is_counted
    assert not evaluate(replace(QUIET, listed=(listed(ListKind.DENY),))).is_counted


def test_the_lists_are_asked_before_the_limits() -> None:
    assert [(step.rule.name, step.is_final) for step in RULES] == [
        ("deny_list", True),
        ("allow_list", True),
        ("amount_limit", False),
        ("velocity_card", False),
        ("velocity_user", False),
        ("velocity_ip", False),
        ("cards_ip", False),
        ("cards_bin", False),
        ("wrong_cvv", False),
    ]
