"""Each rule alone, and their order."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fraud_service.rules import RULES, RULES_VERSION, evaluate
from fraud_service.values.attempt import Attempt, Card
from fraud_service.values.inputs import Counters, Inputs, ListedValue, Thresholds, VelocityLimit
from fraud_service.values.vocabulary import Decision, ListKind, Subject

THRESHOLDS = Thresholds(
    amount_minor={"MAD": 1000, "JPY": 70, "*": 50},
    velocity_card=VelocityLimit(attempts=3, window_s=60),
    velocity_user=VelocityLimit(attempts=5, window_s=120),
    velocity_ip=VelocityLimit(attempts=7, window_s=180),
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
QUIET = Inputs(ATTEMPT, Counters(card=3, user=5, ip=7), THRESHOLDS, listed=())


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
    ("counters", "rule", "score", "detail"),
    [
        (
            Counters(card=4, user=5, ip=7),
            "velocity_card",
            90,
            "more than 3 attempts with this card within 60 s",
        ),
        (
            Counters(card=3, user=6, ip=7),
            "velocity_user",
            80,
            "more than 5 attempts by this user within 120 s",
        ),
        (
            Counters(card=3, user=5, ip=8),
            "velocity_ip",
            80,
            "more than 7 attempts from this address within 180 s",
        ),
    ],
)
def test_one_attempt_over_a_velocity_limit_is_declined(
    counters: Counters, rule: str, score: int, detail: str
) -> None:
    evaluation = evaluate(replace(QUIET, counters=counters))

    assert (evaluation.decision, evaluation.score) == (Decision.DECLINE, score)
    assert [(finding.rule, finding.detail) for finding in evaluation.findings] == [(rule, detail)]
    assert not evaluation.is_counted


def test_an_unknown_address_trips_nothing() -> None:
    assert names(replace(QUIET, counters=Counters(card=1, user=1, ip=None))) == []


def test_the_hardest_decision_and_the_highest_score_of_all_limits_hold() -> None:
    inputs = replace(with_amount(1001), counters=Counters(card=4, user=6, ip=8))

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
        with_amount(10**12), counters=Counters(card=4, user=6, ip=8), listed=(listed(ListKind.ALLOW),)
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
    ]
