"""The emulator reads what we render, and refuses to start on anything else."""

import copy
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateway.emulator.config import Refused, read_config
from gateway.render import render
from gateway.routes import ROUTES
from gateway.settings import Settings

Change = Callable[[dict[str, Any]], object]
ORDERS = next(i for i, route in enumerate(ROUTES) if route.limit is not None)


def changed(change: Change, path: Path) -> Path:
    document = copy.deepcopy(render(Settings()))
    change(document)
    path.write_text(json.dumps(document))
    return path


def router(document: dict[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = document["extra_config"]["router"]
    return members


def limit(document: dict[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = document["endpoints"][ORDERS]["extra_config"]["qos/ratelimit/router"]
    return members


def first_backend(document: dict[str, Any]) -> dict[str, Any]:
    members: dict[str, Any] = document["endpoints"][0]["backend"][0]
    return members


UNKNOWN: list[tuple[Change, str]] = [
    (lambda d: d.update(cache_ttl="5s"), "cache_ttl"),
    (lambda d: d.update(tls={}), "tls"),
    (lambda d: d.update(write_timeout="5s"), "write_timeout"),
    (lambda d: d["extra_config"].update({"security/cors": {}}), "extra_config.security/cors"),
    (lambda d: d["extra_config"].update({"auth/validator": {}}), "extra_config.auth/validator"),
    (lambda d: router(d).update(auto_options=True), "extra_config.router.auto_options"),
    (lambda d: router(d).update(trusted_proxies=[]), "extra_config.router.trusted_proxies"),
    (lambda d: router(d)["error_body"].update({"500": {}}), "extra_config.router.error_body.500"),
    (
        lambda d: d["extra_config"]["security/http"].update(allowed_hosts=["a"]),
        "extra_config.security/http.allowed_hosts",
    ),
    (lambda d: d["endpoints"][0].update(concurrent_calls=2), "endpoints[0].concurrent_calls"),
    (
        lambda d: d["endpoints"][0].update(extra_config={"modifier/lua-endpoint": {}}),
        "endpoints[0].extra_config.modifier/lua-endpoint",
    ),
    (lambda d: first_backend(d).update(sd="dns"), "endpoints[0].backend[0].sd"),
    (
        lambda d: first_backend(d).update(extra_config={"qos/circuit-breaker": {}}),
        "endpoints[0].backend[0].extra_config",
    ),
    (
        lambda d: limit(d).update(client_max_rate=5),
        f"endpoints[{ORDERS}].extra_config.qos/ratelimit/router.client_max_rate",
    ),
]

UNUSABLE: list[tuple[Change, str]] = [
    (lambda d: d.update(version=2), "version"),
    (lambda d: d.update(timeout="5"), "timeout"),
    (lambda d: d.update(port="8080"), "port"),
    (lambda d: d.pop("endpoints"), "endpoints"),
    (lambda d: router(d).pop("forwarded_by_client_ip"), "extra_config.router.forwarded_by_client_ip"),
    (lambda d: router(d).update(forwarded_by_client_ip=True), "extra_config.router.forwarded_by_client_ip"),
    (lambda d: router(d).update(return_error_msg=True), "extra_config.router.return_error_msg"),
    (
        lambda d: router(d).pop("disable_redirect_fixed_path"),
        "extra_config.router.disable_redirect_fixed_path",
    ),
    (
        lambda d: router(d).update(disable_redirect_trailing_slash=False),
        "extra_config.router.disable_redirect_trailing_slash",
    ),
    (
        lambda d: d["extra_config"]["security/http"].update(ssl_redirect=True),
        "extra_config.security/http.ssl_redirect",
    ),
    (lambda d: d["endpoints"][0].pop("output_encoding"), "endpoints[0].output_encoding"),
    (lambda d: d["endpoints"][0].update(output_encoding="json"), "endpoints[0].output_encoding"),
    (lambda d: d["endpoints"][0].update(method="HEAD"), "endpoints[0].method"),
    (lambda d: d["endpoints"][0].update(input_headers=["*"]), "endpoints[0].input_headers"),
    (
        lambda d: d["endpoints"][0].update(input_query_strings=["*", "a"]),
        "endpoints[0].input_query_strings",
    ),
    (lambda d: d["endpoints"][0].update(input_query_strings="limit"), "endpoints[0].input_query_strings"),
    (lambda d: d["endpoints"][0].update(endpoint="/a/x{id}"), "endpoints[0].endpoint"),
    (lambda d: d["endpoints"][0].update(endpoint="/a/*"), "endpoints[0].endpoint"),
    (lambda d: d["endpoints"][0]["backend"].append(first_backend(d)), "endpoints[0].backend"),
    (lambda d: first_backend(d).update(host=["http://a", "http://b"]), "endpoints[0].backend[0].host"),
    (lambda d: first_backend(d).update(host=["http://a/path"]), "endpoints[0].backend[0].host"),
    (lambda d: first_backend(d).update(url_pattern="/{no}"), "endpoints[0].backend[0].url_pattern"),
    (lambda d: limit(d).pop("capacity"), f"endpoints[{ORDERS}].extra_config.qos/ratelimit/router.capacity"),
    (
        lambda d: limit(d).update(max_rate="10"),
        f"endpoints[{ORDERS}].extra_config.qos/ratelimit/router.max_rate",
    ),
    (lambda d: d["endpoints"].append(d["endpoints"][0]), "endpoints: POST /payments-api/payments stands"),
    *(
        (lambda d, path=path: d["endpoints"][0].update(endpoint=path), "endpoints[0].endpoint")
        for path in ("/__debug", "/__debug/x", "/__echo/", "/__echo/{id}", "/__health/", "/a/__health/x")
    ),
    (
        lambda d: (
            d["endpoints"][1].update(endpoint="/v1/payments/{other}/x"),
            d["endpoints"][1]["backend"][0].update(url_pattern="/payments/{other}"),
        ),
        "endpoints: /v1/payments/{id}: {id} is {other} elsewhere",
    ),
    (lambda d: d.update(listen_ip="localhost"), "listen_ip"),
    (lambda d: d.update(listen_ip="127.0.0.256"), "listen_ip"),
    (lambda d: first_backend(d).update(host=["http://a:8"]), "endpoints[0].backend[0].host"),
    (lambda d: first_backend(d).update(host=["http://a:500000"]), "endpoints[0].backend[0].host"),
]


def test_the_rendered_file_is_read_whole(tmp_path: Path) -> None:
    config = read_config(changed(lambda d: None, tmp_path / "krakend.json"))

    endpoint = config.endpoints[ORDERS]
    assert len(config.endpoints) == len(ROUTES)
    assert (endpoint.method, endpoint.path, endpoint.timeout_s) == ("POST", "/store-manager-api/orders", 5.0)
    assert endpoint.limit is not None
    assert (endpoint.limit.max_rate, endpoint.limit.every_s, endpoint.limit.capacity) == (10, 60, 10)
    assert (config.dialer_timeout_s, config.max_shutdown_wait_s) == (0.5, 20.0)
    assert (config.read_header_timeout_s, config.read_timeout_s, config.idle_timeout_s) == (2.0, 4.0, 75.0)
    assert config.unlogged_paths == {"/__health"}


@pytest.mark.parametrize(("change", "member"), UNKNOWN, ids=[member for _, member in UNKNOWN])
def test_an_unknown_member_is_refused_by_name(tmp_path: Path, change: Change, member: str) -> None:
    path = changed(change, tmp_path / "krakend.json")

    with pytest.raises(Refused) as refused:
        read_config(path)

    assert str(refused.value) == f"{member}: the emulator does not implement this member"


@pytest.mark.parametrize(("change", "member"), UNUSABLE, ids=[str(i) for i in range(len(UNUSABLE))])
def test_a_value_that_is_not_implemented_is_refused_by_name(
    tmp_path: Path, change: Change, member: str
) -> None:
    path = changed(change, tmp_path / "krakend.json")

    with pytest.raises(Refused) as refused:
        read_config(path)

    assert str(refused.value).startswith(member)


def test_the_error_bodies_are_written_as_go_writes_them(tmp_path: Path) -> None:
    body = {"b": "<é>", "a": 1}
    path = changed(lambda d: router(d)["error_body"].update({"404": body}), tmp_path / "krakend.json")

    config = read_config(path)

    assert config.error_bodies[404] == '{"a":1,"b":"\\u003cé\\u003e"}'.encode()


def start(path: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "gateway.emulator", "-c", str(path)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_emulator_does_not_start_on_an_unknown_member(tmp_path: Path) -> None:
    path = changed(lambda d: d.update(cache_ttl="5s"), tmp_path / "krakend.json")

    ended = start(path)

    assert ended.returncode == 255
    assert "cache_ttl: the emulator does not implement this member" in ended.stderr


def test_the_emulator_does_not_start_on_something_that_is_not_json(tmp_path: Path) -> None:
    path = tmp_path / "krakend.json"
    path.write_text("{")

    ended = start(path)

    assert ended.returncode == 255
    assert "is not JSON" in ended.stderr


def test_a_port_in_use_ends_the_emulator_with_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        path = changed(lambda d: d.update(port=port, listen_ip="127.0.0.1"), tmp_path / "krakend.json")

        ended = start(path)

    assert ended.returncode == 1
    assert f"cannot listen on port {port}: " in ended.stderr
