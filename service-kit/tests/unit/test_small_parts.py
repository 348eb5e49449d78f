"""The kit's small parts: ids, deadlines, configuration, retry schedules, redaction, wake-up calls."""

import json
import threading
import time
from contextlib import redirect_stdout
from datetime import UTC
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import structlog
from environs import Env
from hypothesis import given
from hypothesis import strategies as st
from service_kit.clock import utc_now
from service_kit.deadlines import Deadline, current_deadline, time_budget, time_left_s
from service_kit.ids import new_id
from service_kit.jobs.queue import RetrySchedule
from service_kit.jobs.wake import Waker, WakeUpCall
from service_kit.process import logs
from service_kit.process.config import (
    ConfigurationError,
    Profile,
    parse_address,
    read_amounts,
    read_database_url,
    read_profile,
    read_secret,
)
from service_kit.process.gunicorn import settings

from tests.testkit.fake_clock import FakeClock


def test_ids_name_their_kind_and_never_repeat() -> None:
    ids = [new_id("pay") for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert all(one.startswith("pay_") and len(one) == 30 for one in ids)
    assert all(set(one[4:]) <= set("0123456789abcdefghjkmnpqrstvwxyz") for one in ids)


def test_later_ids_come_later_in_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for milliseconds in (1, 2, 10**6, 10**12):
        monkeypatch.setattr(time, "time_ns", lambda now=milliseconds: now * 1_000_000)
        ids.append(new_id("pay"))

    assert ids == sorted(ids)


def test_the_clock_is_utc() -> None:
    assert utc_now().tzinfo is UTC


def test_a_deadline_counts_down_and_never_below_nothing() -> None:
    clock = FakeClock()
    with clock.running():
        deadline = Deadline.after(60)
        assert deadline.remaining_s() == pytest.approx(60, abs=0.1)
        clock.advance(59)
        before = deadline.has_passed
        assert deadline.remaining_s() == pytest.approx(1, abs=0.1)
        clock.advance(1)
        assert deadline.remaining_s() == 0
        assert (before, deadline.has_passed) == (False, True)
    assert Deadline.after(-1).remaining_s() == 0
    assert Deadline.after(0).has_passed


def test_an_inner_budget_is_never_more_than_the_outer_one() -> None:
    assert current_deadline() is None
    assert time_left_s(5) == 5

    with time_budget(60) as outer:
        with time_budget(3600) as inner:
            assert inner.at_s <= outer.at_s + 0.001
            assert time_left_s(3600) <= 60
        with time_budget(1):
            assert time_left_s(60) <= 1
        assert current_deadline() is outer
        assert time_left_s(1) == 1

    assert current_deadline() is None


def test_a_budget_ends_with_an_error_too() -> None:
    with pytest.raises(LookupError), time_budget(1):
        raise LookupError

    assert current_deadline() is None


@pytest.mark.parametrize(("value", "profile"), [(None, "lab"), ("lab", "lab"), ("production", "production")])
def test_the_profile_is_read(monkeypatch: pytest.MonkeyPatch, value: str | None, profile: str) -> None:
    monkeypatch.delenv("CAISSE_PROFILE", raising=False)
    if value is not None:
        monkeypatch.setenv("CAISSE_PROFILE", value)

    assert read_profile(Env()) == profile


def test_a_profile_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAISSE_PROFILE", "prod")

    with pytest.raises(ConfigurationError, match="lab or production"):
        read_profile(Env())


@pytest.mark.parametrize("url", ["postgresql://u:pass@h/d", "mysql://u:pass@h/d", "nothing", "oracle://pass"])
def test_a_database_that_is_none_of_ours_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    with pytest.raises(ConfigurationError, match=r"mysql\+pymysql://") as refusal:
        read_database_url(Env(), Profile.LAB, "a-service")
    assert "pass@" not in str(refusal.value)


def test_the_lab_knows_its_secret_and_production_needs_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_SECRET", raising=False)
    assert read_secret(Env(), Profile.LAB, "A_SECRET", "lab-secret") == "lab-secret"
    for bad in (None, "", "lab-secret"):
        if bad is not None:
            monkeypatch.setenv("A_SECRET", bad)
        with pytest.raises(ConfigurationError, match="A_SECRET"):
            read_secret(Env(), Profile.PRODUCTION, "A_SECRET", "lab-secret")

    monkeypatch.setenv("A_SECRET", "qzY0Zf7aWb1p0oPj1Wm3y6vKx2n8")

    assert read_secret(Env(), Profile.PRODUCTION, "A_SECRET", "lab-secret").startswith("qzY0")


def test_amounts_of_the_settings_are_plain_decimals_by_currency(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_amounts(Env(), "AMOUNTS", "MAD=1000.00,EUR=100") == {"MAD": 1000, "EUR": 100}
    for text, amounts in (("", {}), ("MAD=0", {"MAD": 0}), (" KWD = 0.5 ,", {"KWD": Decimal("0.5")})):
        monkeypatch.setenv("AMOUNTS", text)
        assert read_amounts(Env(), "AMOUNTS", "MAD=1000.00") == amounts
    for number in ("NaN", "Infinity", "-1", "1e-100000000", "1e3", "1_000", "1.5.", "", "lots"):
        monkeypatch.setenv("AMOUNTS", f"MAD={number}")
        with pytest.raises(ConfigurationError, match="AMOUNTS"):
            read_amounts(Env(), "AMOUNTS", "MAD=1000.00")
    for text in ("1000.00", "MAD", "XAU=1", "mad=1", "MAD=1,MAD=2", "MAD=1;EUR=2"):
        monkeypatch.setenv("AMOUNTS", text)
        with pytest.raises(ConfigurationError, match=r"MAD=1000\.00,EUR=100"):
            read_amounts(Env(), "AMOUNTS", "MAD=1000.00")


def test_gunicorn_keeps_connections_longer_than_the_gateway_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_THREADS", "7")
    monkeypatch.setenv("BIND", "0.0.0.0:80")

    chosen = settings(5009)

    assert (chosen["bind"], chosen["threads"]) == ("0.0.0.0:80", 7)
    assert chosen["keepalive"] > 30


@given(tries=st.integers(1, 100), age_s=st.floats(0, 10**7))
def test_a_retry_stays_within_its_jitter(tries: int, age_s: float) -> None:
    schedule = RetrySchedule(first_delays_s=(1, 2), steps=((100, 10), (float("inf"), 60)), jitter=0.2)
    base_s = (1, 2)[tries - 1] if tries <= 2 else 10 if age_s < 100 else 60

    assert 0.8 * base_s <= schedule.delay_s(tries, age_s) <= 1.2 * base_s


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "9999999999999",
        "card=4111111111111111,",
        "x4111111111111111",
        "pay_4111111111111111",
        "4111.1111.1111.1111",
        "4111++1111  1111__1111",
        "4111111111111111x",
        "a411111111111111111",
        "41111111111111114242424242424242",
    ],
)
def test_what_looks_like_a_card_number_is_masked(text: str) -> None:
    masked = logs.mask_long_numbers(f"before {text} after")

    assert "4242" not in masked
    assert "9999" not in masked
    assert "1111" not in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T09:05:00.123456Z",
        "2026-11-21 09:05:00.123456+00:00",
        "pay_01k9z3",
        "/v1/payments/pay_01234567890123456789012345/confirm",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "12345678901234567890123456789a12",
        "123456789012",
        "3999.98",
        "evt_01_2",
    ],
)
def test_times_ids_and_amounts_are_not(text: str) -> None:
    assert logs.mask_long_numbers(text) == text


def test_secrets_are_taken_out_at_any_depth() -> None:
    redact = logs.redactor(["cvv"])
    event = {
        "event": "paid with 4242424242424242",
        "CVV": "123",
        "number": 4242424242424242,
        "inner": [{"Authorization": "Bearer x", "list": ("4242424242424242", 7, None, True)}],
        "count": 12,
    }

    clean: Any = redact(None, "info", event)

    assert "4242" not in str(clean)
    assert "123" not in str(clean)
    assert "Bearer" not in str(clean)
    assert clean["count"] == 12
    assert clean["inner"][0]["list"][1:] == [7, None, True]


def test_a_logger_that_was_used_before_writes_to_standard_output_as_it_is_now(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "KEEP_LOGGERS", True)
    before = structlog.get_config()
    log = structlog.get_logger()
    with redirect_stdout(StringIO()) as earlier:
        logs.configure("kit-test")
        log.info("first")
    log.info("second")
    structlog.configure(**before)

    assert "first" in earlier.getvalue()
    assert [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()] == ["second"]


def test_a_log_line_is_one_json_object_without_secrets_even_in_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = structlog.get_config()
    logs.configure("kit-test", secret_keys=["cvv"], level="INFO")
    log = structlog.get_logger()
    try:
        raise ValueError("card 4242424242424242")
    except ValueError:
        log.exception("it failed", cvv="907")
    log.debug("not at this level")
    structlog.configure(**before)

    (line,) = capsys.readouterr().out.splitlines()
    document: dict[str, Any] = json.loads(line)
    assert (document["event"], document["level"], document["service"]) == ("it failed", "error", "kit-test")
    assert "ValueError" in document["exception"]
    assert "4242" not in line
    assert "907" not in line.replace(document["timestamp"], "")


def test_an_address_has_a_port() -> None:
    assert parse_address("127.0.0.1:5909") == ("127.0.0.1", 5909)
    with pytest.raises(ValueError, match="host:port"):
        parse_address("5909")


def test_a_wake_up_call_reaches_every_loop() -> None:
    loops = [threading.Event(), threading.Event()]
    call = WakeUpCall("127.0.0.1:0", loops)
    try:
        port = call._socket.getsockname()[1]

        Waker(f"127.0.0.1:{port}").wake()

        assert all(loop.wait(60) for loop in loops)
    finally:
        call.close()


def test_waking_a_worker_that_is_away_is_no_error() -> None:
    waker = Waker("127.0.0.1:9")

    for _ in range(3):
        waker.wake()
    Waker("no-such-host.invalid:9").wake()
