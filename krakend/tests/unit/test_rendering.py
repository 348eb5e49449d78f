"""Rendered files: current, valid against KrakenD's schema, and within our own rules."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from gateway.cli import COMMITTED, main
from gateway.render import render, render_text
from gateway.rules import violations
from gateway.schema import SchemaNotFound, schema_errors
from gateway.settings import InvalidSetting, Settings, duration_s
from service_kit.process.gunicorn import settings

LOCAL = Settings(
    payment_service="http://127.0.0.1:5009",
    store_manager="http://127.0.0.1:5000",
    listen_ip="127.0.0.1",
    orders_per_minute=200,
    timeout="300ms",
)
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def schema_dir() -> Path:
    folder = os.environ.get("KRAKEND_SCHEMA_DIR")
    if not folder:
        pytest.skip("KRAKEND_SCHEMA_DIR is not set: KrakenD's schema was not asked")
    return Path(folder)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run `python -m gateway` without the settings of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith("GATEWAY_") or name in ("ORDERS_PER_MINUTE", "KRAKEND_SCHEMA_DIR"):
            monkeypatch.delenv(name)

    def invoke(*arguments: str, **environment: str) -> Any:
        return CliRunner().invoke(main, arguments, env=environment)

    return invoke


@pytest.mark.parametrize("settings", [Settings(), LOCAL], ids=["compose", "local"])
def test_rendered_files_are_valid_against_krakends_schema(schema_dir: Path, settings: Settings) -> None:
    assert schema_errors(render(settings), schema_dir) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(timeout=5),
        lambda d: d.update(no_such_member=1),
        lambda d: d["endpoints"][0].update(method="FETCH"),
        lambda d: d["extra_config"]["router"].update(hide_version_header="yes"),
        lambda d: d["endpoints"][0]["backend"][0].pop("url_pattern"),
    ],
)
def test_the_schema_finds_faults_in_every_part(schema_dir: Path, change: Change) -> None:
    document = render(Settings())
    change(document)

    assert schema_errors(document, schema_dir) != []


def test_a_folder_without_the_schema_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SchemaNotFound):
        schema_errors(render(Settings()), tmp_path)


@pytest.mark.parametrize("settings", [Settings(), LOCAL], ids=["compose", "local"])
def test_rendered_files_obey_our_rules(settings: Settings) -> None:
    assert violations(render(settings)) == []


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        (lambda d: d["extra_config"]["router"].pop("forwarded_by_client_ip"), "forwarded_by_client_ip"),
        (lambda d: d.pop("read_timeout"), "read_timeout"),
        (lambda d: d.update(idle_timeout="0s"), "idle_timeout"),
        (lambda d: d.update(read_header_timeout="9s"), "read_header_timeout"),
        (lambda d: d["extra_config"]["router"].pop("return_error_msg"), "return_error_msg"),
        (lambda d: d["extra_config"]["router"].pop("disable_redirect_fixed_path"), "fixed_path"),
        (
            lambda d: d["extra_config"]["router"].update(disable_redirect_trailing_slash=False),
            "trailing_slash",
        ),
        (lambda d: d["extra_config"]["router"]["error_body"].pop("405"), "error_body.405"),
        (lambda d: d["endpoints"][3].update(output_encoding="json"), "output_encoding"),
        (lambda d: d["endpoints"][3]["input_headers"].remove("Content-Length"), "Content-Length"),
        (lambda d: d["endpoints"][3].update(input_headers=["*"]), "Content-Type"),
        (lambda d: d["endpoints"][3].update(input_query_strings=["*"]), "absent elsewhere"),
        (lambda d: d["endpoints"][1].update(endpoint="/v1/payments/{other}"), "is {other} elsewhere"),
        (lambda d: d["endpoints"][3]["backend"].append(d["endpoints"][3]["backend"][0]), "one backend"),
        (lambda d: d["endpoints"][3]["backend"][0].pop("encoding"), "encoding"),
        (lambda d: d["endpoints"][3]["backend"][0].update(method="PUT"), "method"),
        (lambda d: d["endpoints"][3]["backend"][0].update(url_pattern="/internal/x"), "internal"),
        (lambda d: d["endpoints"].append(d["endpoints"][3]), "stands there 2 times"),
        (
            lambda d: d["endpoints"][5]["extra_config"]["qos/ratelimit/router"].pop("capacity"),
            "max_rate and capacity",
        ),
    ],
)
def test_each_rule_notices_its_breach(change: Change, breach: str) -> None:
    document = render(Settings())
    change(document)

    found = violations(document)

    assert any(breach in sentence for sentence in found), found


@pytest.mark.parametrize("number", [10, 200])
def test_only_posted_orders_are_limited_with_their_capacity(number: int) -> None:
    document = render(Settings(orders_per_minute=number))

    limits = {
        (endpoint["method"], endpoint["endpoint"]): endpoint["extra_config"]["qos/ratelimit/router"]
        for endpoint in document["endpoints"]
        if "extra_config" in endpoint
    }
    expected = {"max_rate": number, "every": "1m", "capacity": number}
    assert limits == {
        ("POST", "/store-manager-api/orders"): expected,
        ("POST", "/store-api/orders"): expected,
    }


def test_time_outs_follow_the_kind_of_route() -> None:
    document = render(Settings())

    timeouts = {(e["method"], e["endpoint"]): e["timeout"] for e in document["endpoints"]}
    assert document["timeout"] == "5s"
    assert {timeout for route, timeout in timeouts.items() if route[0] == "GET"} - {"5s"} == {"10s"}
    assert {route for route, timeout in timeouts.items() if timeout != "5s"} == {
        ("POST", "/payments-api/payments/{id}"),
        ("POST", "/payments-api/payments/process/{id}"),
        ("POST", "/v1/payments"),
        *(("POST", f"/v1/payments/{{id}}/{verb}") for verb in ("confirm", "capture", "cancel")),
        *(("POST", f"/v1/payments/{{id}}/{verb}") for verb in ("approve", "reject")),
        ("POST", "/v1/refunds"),
        ("POST", "/checkout/{token}"),
        ("GET", "/checkout/3ds/{token}"),
        ("POST", "/checkout/3ds/{token}"),
    }
    assert timeouts["POST", "/payments-api/payments/{id}"] == "10s"


def test_a_client_may_take_less_time_to_send_than_a_service_to_answer() -> None:
    document = render(Settings())

    read_s = duration_s(document["read_timeout"])
    assert duration_s(document["read_header_timeout"]) < read_s
    assert read_s < min(duration_s(endpoint["timeout"]) for endpoint in document["endpoints"])
    # A body of 64 KiB at 128 kbit/s.
    assert read_s >= 64 * 1024 * 8 / 131_072


def test_the_services_keep_idle_connections_longer_than_the_gateway() -> None:
    document = render(Settings())

    assert settings(0)["keepalive"] > duration_s(document["idle_connection_timeout"])


def test_every_post_of_v1_carries_its_idempotency_key_and_nothing_else_does() -> None:
    document = render(Settings())

    with_key = [e for e in document["endpoints"] if "Idempotency-Key" in e["input_headers"]]
    posts_of_v1 = [
        e for e in document["endpoints"] if e["method"] == "POST" and e["endpoint"].startswith("/v1/")
    ]
    assert with_key == posts_of_v1 != []


@pytest.mark.parametrize(
    "change",
    [
        {"payment_service": "http://host/path"},
        {"payment_service": "host:5009"},
        {"store_manager": "http://user:secret@host"},
        {"payment_service": "http://host:5"},
        {"listen_ip": "localhost"},
        {"port": 0},
        {"orders_per_minute": 0},
        {"timeout": "5"},
        {"timeout": "0s"},
        {"provider_timeout": "1m30s"},
    ],
)
def test_settings_that_krakend_would_misread_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidSetting):
        Settings(**change)


def test_the_committed_file_is_current() -> None:
    assert COMMITTED.read_text() == render_text(Settings())


def test_render_writes_what_the_options_say(run: Callable[..., Any], tmp_path: Path) -> None:
    output = tmp_path / "run" / "krakend.json"

    result = run(
        *("render", "--output", str(output), "--port", "18080", "--listen-ip", "127.0.0.1"),
        *("--payment-service", "http://127.0.0.1:5009", "--store-manager", "http://127.0.0.1:5000"),
        ORDERS_PER_MINUTE="200",
    )

    document = json.loads(output.read_text())
    assert result.exit_code == 0
    assert (document["port"], document["listen_ip"]) == (18080, "127.0.0.1")
    hosts = {endpoint["backend"][0]["host"][0] for endpoint in document["endpoints"]}
    assert hosts == {"http://127.0.0.1:5009", "http://127.0.0.1:5000"}
    assert '"capacity": 200' in output.read_text()


def test_render_without_options_prints_the_file_for_compose(run: Callable[..., Any]) -> None:
    result = run("render")

    assert result.output == COMMITTED.read_text()


@pytest.mark.parametrize("command", [(), ("render",), ("check",), ("run",)])
def test_every_command_explains_itself(run: Callable[..., Any], command: tuple[str, ...]) -> None:
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_render_refuses_a_bad_setting_with_a_sentence(run: Callable[..., Any]) -> None:
    result = run("render", "--timeout", "5")

    assert result.exit_code == 1
    assert "'5' is not a duration such as 500ms or 5s" in result.output


def test_check_says_that_the_schema_was_skipped(run: Callable[..., Any]) -> None:
    result = run("check")

    assert result.exit_code == 0
    assert "schema: skipped (KRAKEND_SCHEMA_DIR is not set)" in result.output


def test_check_asks_the_schema_where_it_is(schema_dir: Path, run: Callable[..., Any]) -> None:
    result = run("check", KRAKEND_SCHEMA_DIR=str(schema_dir))

    assert (result.exit_code, result.output) == (0, "gateway configuration: good\n")


def test_check_finds_a_fault_in_a_given_file(run: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "krakend.json"
    document = render(Settings())
    document["extra_config"]["router"]["forwarded_by_client_ip"] = True
    file.write_text(json.dumps(document))

    result = run("check", str(file))

    assert result.exit_code == 1
    assert "extra_config.router.forwarded_by_client_ip must be False" in result.output


def test_check_notices_a_committed_file_that_is_not_current(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = tmp_path / "krakend.json"
    stale.write_text(render_text(Settings(orders_per_minute=11)))
    monkeypatch.setattr("gateway.cli.COMMITTED", stale)

    result = run("check")

    assert result.exit_code == 1
    assert "krakend.json is not current" in result.output


def test_run_says_when_the_chosen_program_is_not_there(run: Callable[..., Any], tmp_path: Path) -> None:
    result = run("run", "-c", str(COMMITTED), KRAKEND=str(tmp_path / "krakend"))

    assert result.exit_code == 1
    assert "cannot start" in result.output
