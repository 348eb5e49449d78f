"""The Compose file holds together: what one part of it says of another is true."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
FOREIGN = ("mysql:", "krakend:", "axllent/")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def is_job(service: dict[str, Any]) -> bool:
    return bool(service["restart"] == "no")


def test_every_lasting_service_has_a_healthcheck_and_comes_back(services: dict[str, dict[str, Any]]) -> None:
    lasting = {name: service for name, service in services.items() if not is_job(service)}

    assert all("test" in service["healthcheck"] for service in lasting.values())
    assert all(service["restart"] == "unless-stopped" for service in lasting.values())


def test_every_job_is_awaited_by_a_lasting_service(services: dict[str, dict[str, Any]]) -> None:
    """Otherwise `up --wait` would take its end for a failure."""
    awaited = {
        name
        for service in services.values()
        for name, needs in service.get("depends_on", {}).items()
        if needs["condition"] == "service_completed_successfully"
    }

    assert awaited == {name for name, service in services.items() if is_job(service)}
    assert awaited


def test_services_wait_only_for_services_that_exist(services: dict[str, dict[str, Any]]) -> None:
    needed = {name for service in services.values() for name in service.get("depends_on", {})}

    assert needed <= set(services)


def test_every_service_owns_a_database_with_a_user_of_its_own(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    databases = {name: s for name, s in services.items() if s["image"].startswith("mysql:")}
    users = [service["environment"]["MYSQL_USER"] for service in databases.values()]
    volumes = [volume.split(":")[0] for service in databases.values() for volume in service["volumes"]]

    assert len(databases) == 4
    assert len(set(users)) == 4
    assert set(volumes) == set(compose["volumes"])
    assert all(service["image"] == "mysql:8.4" for service in databases.values())


def test_each_database_url_names_its_server_user_and_password(services: dict[str, dict[str, Any]]) -> None:
    urls = [service["environment"]["DATABASE_URL"] for service in services.values() if "build" in service]

    for url in urls:
        match = re.fullmatch(r"mysql\+pymysql://(\w+):(.+)@(\w+):3306/(\w+)\?charset=utf8mb4", url)
        assert match
        user, password, server, database = match.groups()
        settings = services[server]["environment"]
        found = (settings["MYSQL_USER"], settings["MYSQL_PASSWORD"], settings["MYSQL_DATABASE"])
        assert found == (user, password, database)


def test_own_images_are_built_from_this_checkout_without_privileges(
    services: dict[str, dict[str, Any]],
) -> None:
    own = [service for service in services.values() if not service["image"].startswith(FOREIGN)]

    for service in own:
        dockerfile = (CHECKOUT / service["build"]["dockerfile"]).read_text()
        assert service["build"]["context"] == "."
        assert service["cap_drop"] == ["ALL"]
        users = re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)
        assert users
        assert users[-1] not in {"root", "0"}


def test_the_gateway_file_leads_to_services_of_these_names_and_ports(
    services: dict[str, dict[str, Any]],
) -> None:
    rendered = json.loads((CHECKOUT / "krakend" / "krakend.json").read_text())
    hosts = {host for endpoint in rendered["endpoints"] for b in endpoint["backend"] for host in b["host"]}

    gateway = services["gateway"]
    assert gateway["image"] == "krakend:2.13"
    assert gateway["container_name"] == "api-gateway"
    assert gateway["environment"]["USAGE_DISABLE"] == "1"
    assert any(port.endswith(f":{rendered['port']}") for port in gateway["ports"])
    assert hosts == {"http://payments_api:5009", "http://store_manager:5000"}
    assert services["payments_api"]["environment"]["BIND"] == "0.0.0.0:5009"


def test_the_shop_and_whoever_calls_it_share_a_network(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    shared = {name for name, s in services.items() if "labo05-network" in s.get("networks", [])}

    assert compose["networks"]["labo05-network"] == {"name": "labo05-network", "external": True}
    assert shared == {"gateway", "payments_api", "payments_worker"}


def test_urls_between_services_name_services_and_their_ports(services: dict[str, dict[str, Any]]) -> None:
    binds = {
        f"{name}:{service['environment']['BIND'].split(':')[1]}"
        for name, service in services.items()
        if "BIND" in service.get("environment", {})
    }
    environment = services["payments_api"]["environment"]

    for setting in ("FRAUD_SERVICE_URL", "NOTIFICATION_SERVICE_URL", "BANK_URL"):
        assert environment[setting].removeprefix("http://") in binds


@pytest.mark.parametrize("domain", ["payments", "notifications"])
def test_workers_listen_where_they_are_woken(services: dict[str, dict[str, Any]], domain: str) -> None:
    woken_at = services[f"{domain}_api"]["environment"]["WORKER_WAKE_ADDRESS"]
    listens_at = services[f"{domain}_worker"]["environment"]["WORKER_WAKE_ADDRESS"]

    host, port = woken_at.split(":")
    assert host == f"{domain}_worker"
    assert listens_at == f"0.0.0.0:{port}"


def test_the_overlay_leaves_out_the_gateway_and_nobody_needs_it(services: dict[str, dict[str, Any]]) -> None:
    overlay = yaml.safe_load((CHECKOUT / "docker-compose.without-gateway.yml").read_text())

    assert overlay["services"].pop("gateway") == {"profiles": ["caisse-gateway"]}
    # The bank's events, which come through the gateway otherwise, go straight to whom they are for.
    events = services["bank_simulator"]["environment"]["BANK_WEBHOOK_URL"]
    assert overlay["services"] == {
        "bank_simulator": {
            "environment": {"BANK_WEBHOOK_URL": events.replace("api-gateway:8080", "payments_api:5009")}
        }
    }
    assert services["gateway"]["container_name"] == "api-gateway"
    assert not any("gateway" in service.get("depends_on", {}) for service in services.values())


def test_env_example_lists_every_setting_of_the_compose_file() -> None:
    text = (CHECKOUT / "docker-compose.yml").read_text()
    with_default = set(re.findall(r"(?<!\$)\$\{(\w+):-", text))
    passed_on = set(re.findall(r"^  ([A-Z_]+):$", text, re.MULTILINE))
    example = (CHECKOUT / ".env.example").read_text()
    listed = set(re.findall(r"^(\w+)=", example, re.MULTILINE))

    assert with_default
    assert passed_on
    assert listed == with_default | passed_on
