"""The tables of processes, and what is read from and written to files."""

from pathlib import Path

import pytest

from run.processes import ReadyUrl, migrations, preparations, processes
from run.settings import RunSettings
from run.supervisor import follow, warning


def test_settings_survive_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = RunSettings.on_free_ports(tmp_path)
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)

    assert RunSettings.from_env() == settings


def test_services_find_one_another_and_their_workers(tmp_path: Path) -> None:
    settings = RunSettings.on_free_ports(tmp_path)
    table = {process.name: process for process in processes(settings)}
    binds = {f"http://{p.environment['BIND']}" for p in table.values() if "BIND" in p.environment}
    payment = table["payment-service"].environment

    assert {payment[key] for key in ("FRAUD_SERVICE_URL", "NOTIFICATION_SERVICE_URL", "BANK_URL")} <= binds
    assert payment["STORE_MANAGER_ORDERS_URL"] == f"{settings.gateway_url}/store-manager-api/orders"
    for domain in ("payment", "notification"):
        woken = table[f"{domain}-service"].environment["WORKER_WAKE_ADDRESS"]
        assert table[f"{domain}-worker"].environment["WORKER_WAKE_ADDRESS"] == woken


def test_what_the_user_gives_wins_but_for_what_each_process_needs_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "STORE_MANAGER_ORDERS_URL": "http://store_manager:5000/orders",
        "PUBLIC_BASE_URL": "https://tunnel.example",
        "OUTBOX_DIR": "/elsewhere",
    }
    for name, value in {**given, "DATABASE_URL": "sqlite:////x.db", "WORKER_WAKE_ADDRESS": "a:1"}.items():
        monkeypatch.setenv(name, value)

    table = {process.name: process.environment for process in processes(RunSettings.on_free_ports(tmp_path))}

    told = {**table["payment-service"], "OUTBOX_DIR": table["notification-worker"]["OUTBOX_DIR"]}
    assert {name: told[name] for name in given} == given
    for environment in table.values():
        assert environment.get("DATABASE_URL") != "sqlite:////x.db"
        assert environment.get("WORKER_WAKE_ADDRESS") != "a:1"


def test_every_port_of_the_settings_is_used_once(tmp_path: Path) -> None:
    settings = RunSettings.on_free_ports(tmp_path)
    asked = {p.ready.url.split("/")[2] for p in processes(settings) if isinstance(p.ready, ReadyUrl)}

    assert asked == {
        f"127.0.0.1:{port}" for name, port in settings.ports.by_setting().items() if "WAKE" not in name
    }


def test_each_service_has_one_database_in_the_run_folder(tmp_path: Path) -> None:
    urls = [task.environment["DATABASE_URL"] for task in migrations(RunSettings.on_free_ports(tmp_path))]

    assert len(set(urls)) == 4
    assert all(url.startswith(f"sqlite:///{tmp_path}/") for url in urls)


def test_the_order_limit_reaches_the_gateways_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_PER_MINUTE", "200")
    render = preparations(RunSettings.from_env())[-1].command

    assert render[render.index("--orders-per-minute") + 1] == "200"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"event": "request", "level": "info"}', None),
        ('{"event": "late", "level": "warning", "payment": 3}', "warning: late · payment=3"),
        ('{"event": "x", "level": "error", "exception": "Traceback\\n  a\\nValueError: b"}', "ValueError: b"),
        ("[2026-11-21 10:00:00 +0000] [7] [ERROR] Worker (pid:8) was sent SIGKILL!", "Worker (pid:8)"),
        ("[2026-11-21 10:00:00 +0000] [7] [INFO] Listening", None),
        ("{not json", None),
    ],
)
def test_only_warnings_and_errors_are_shown(line: str, shown: str | None) -> None:
    seen = warning(line)

    assert seen is None if shown is None else seen is not None and shown in seen


def test_a_log_is_followed_line_by_line(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    lines = follow(log)
    log.write_text("first\nhal")
    assert next(lines) == ["first"]
    with log.open("a") as file:
        file.write("f\n")

    assert next(lines) == ["half"]
    assert next(lines) == []
