"""The bank's events in our words: recorded bodies, and everything that a broken bank may sign."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment_service.config import LAB_WEBHOOK_SECRET, Config
from payment_service.errors import WebhookUnreadable
from payment_service.providers.bank_simulator_webhooks import BankSimulatorWebhooks
from payment_service.providers.port import DisputeNews, MovementNews, News, Outcome, UnknownNews
from payment_service.values.money import Money
from payment_service.values.statuses import DisputeStatus
from service_kit.process.config import ConfigurationError
from service_kit.web.strict_json import MalformedJson

BANK = BankSimulatorWebhooks([LAB_WEBHOOK_SECRET])
AMOUNT = Money(399_998, "MAD")
MOVED = {"request_id": "att_01k", "amount_minor": 399_998, "currency": "MAD"}
DISPUTED = {
    "dispute_id": "dsp_01k",
    "original_request_id": "att_01k",
    "amount_minor": 399_998,
    "currency": "MAD",
    "reason": "fraudulent",
    "status": "opened",
}


def read(kind: Any, data: Any) -> News:
    document = {"type": kind, "timestamp": "2026-11-21T09:05:00.000Z", "data": data}
    return BANK.read(json.dumps(document))


@pytest.mark.parametrize("kind", ["payment.updated", "three_ds.finished", "refund.updated"])
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("approved", Outcome.APPROVED),
        ("declined", Outcome.DECLINED),
        ("abandoned", Outcome.ABANDONED),
        ("pending", Outcome.PENDING),
        ("requires_action", Outcome.PENDING),
        ("something_new", Outcome.PENDING),
    ],
)
def test_news_of_a_movement(kind: str, status: str, outcome: Outcome) -> None:
    assert read(kind, {**MOVED, "status": status}) == MovementNews("att_01k", outcome, AMOUNT)


@pytest.mark.parametrize("status", DisputeStatus)
def test_news_of_a_dispute(status: DisputeStatus) -> None:
    expected = DisputeNews("dsp_01k", "att_01k", status, AMOUNT, "fraudulent")

    # What happened is said by the type: the status beside it may be that of a later moment.
    assert read(f"dispute.{status}", DISPUTED) == expected


@pytest.mark.parametrize("reason", [None, "", 7, "two\nlines", "x" * 300])
def test_a_reason_that_cannot_be_kept_stops_no_dispute(reason: Any) -> None:
    news = read("dispute.opened", {**DISPUTED, "reason": reason})

    assert isinstance(news, DisputeNews)
    assert news.reason in {None, "", "x" * 100}


@pytest.mark.parametrize("kind", ["payout.created", "", "x" * 500])
def test_a_type_that_we_do_not_know_is_named(kind: str) -> None:
    assert read(kind, None) == UnknownNews(kind[:100])


BROKEN: list[Mapping[str, Any]] = [
    {"request_id": None},
    {"request_id": "é"},
    {"request_id": "a b"},
    {"request_id": "a" * 65},
    {"status": 7},
    {"amount_minor": None},
    {"amount_minor": -1},
    {"amount_minor": "1"},
    {"amount_minor": 1.5},
    {"amount_minor": True},
    {"amount_minor": 2**63},
    {"currency": "mad"},
    {"currency": "DIRHAM"},
    {"currency": None},
]


@pytest.mark.parametrize("change", BROKEN)
def test_news_that_lack_something_are_unreadable(change: Mapping[str, Any]) -> None:
    with pytest.raises(WebhookUnreadable):
        read("payment.updated", {**MOVED, "status": "approved", **change})


@pytest.mark.parametrize("change", [{"dispute_id": ""}, {"original_request_id": None}, {"amount_minor": 0}])
def test_a_dispute_that_lacks_something_is_unreadable(change: Mapping[str, Any]) -> None:
    with pytest.raises(WebhookUnreadable):
        read("dispute.opened", {**DISPUTED, **change})


anything: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(kind=st.sampled_from(["payment.updated", "dispute.lost", "x"]) | anything, data=anything)
def test_whatever_is_signed_is_news_or_unreadable(kind: Any, data: Any) -> None:
    try:
        read(kind, data)
    except (WebhookUnreadable, MalformedJson):
        return


@pytest.mark.parametrize("body", ["[]", "7", "null", '"x"', "{}"])
def test_what_is_no_event_is_unreadable(body: str) -> None:
    with pytest.raises(WebhookUnreadable):
        BANK.read(body)


NEW = "whsec_" + "bmV3LWJhbmstd2ViaG9vay1zZWNyZXQtMzItYnl0ZXM="


def settings(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Config:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Config.from_env()


def test_the_labs_secret_is_that_of_the_labs_bank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BANK_WEBHOOK_SECRETS", raising=False)

    assert Config.from_env().bank_webhook_secrets == (LAB_WEBHOOK_SECRET,)


def test_several_secrets_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(monkeypatch, BANK_WEBHOOK_SECRETS=f"{NEW}, {LAB_WEBHOOK_SECRET}")

    assert config.bank_webhook_secrets == (NEW, LAB_WEBHOOK_SECRET)


@pytest.mark.parametrize(
    "text",
    ["", ",", " ", "whsec_", NEW.removeprefix("whsec_"), f"{NEW},", f"{NEW}!", "whsec_c2hvcnQ=", "whsec_é",
     "whsec_" + "A" * 88, NEW[:-1]],
)  # fmt: skip
def test_a_secret_that_is_none_stops_the_start_and_is_not_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="BANK_WEBHOOK_SECRETS") as refused:
        settings(monkeypatch, BANK_WEBHOOK_SECRETS=text)

    assert not text.strip(" ,") or text not in str(refused.value) or text == "whsec_"
