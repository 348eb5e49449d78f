"""The Compose file holds together: what one part of it says of another is true."""

import json
import os
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from service_kit.process.gunicorn import settings

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


@pytest.fixture(scope="module")
def own(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The services that run an image of ours."""
    return {name: s for name, s in services.items() if not s["image"].startswith(FOREIGN)}


@pytest.fixture(scope="module")
def stages() -> list[list[str]]:
    """The instructions of the Dockerfile's stages, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (CHECKOUT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


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


def test_each_database_url_names_its_server_user_and_password(
    services: dict[str, dict[str, Any]], own: dict[str, dict[str, Any]]
) -> None:
    urls = [service["environment"]["DATABASE_URL"] for service in own.values()]

    assert urls
    for url in urls:
        match = re.fullmatch(r"mysql\+pymysql://(\w+):(.+)@(\w+):3306/(\w+)\?charset=utf8mb4", url)
        assert match
        user, password, server, database = match.groups()
        settings = services[server]["environment"]
        found = (settings["MYSQL_USER"], settings["MYSQL_PASSWORD"], settings["MYSQL_DATABASE"])
        assert found == (user, password, database)


def test_each_own_image_is_built_once_and_taken_by_the_others(own: dict[str, dict[str, Any]]) -> None:
    """Built under one tag by several, the last one would replace what the others have started from."""
    built = [service for service in own.values() if "build" in service]

    assert sorted(s["image"] for s in built) == sorted({s["image"] for s in own.values()})
    for service in built:
        name = service["build"]["args"]["SERVICE"]
        assert service["build"] == {"context": ".", "args": {"SERVICE": name}}
        assert service["image"] == f"caisse/{name}"
        assert (CHECKOUT / "requirements" / f"{name}.txt").is_file()
        for part in ("pyproject.toml", "gunicorn.conf.py", "migrations"):
            assert (CHECKOUT / name / part).exists()
    assert all(service["pull_policy"] == "never" for service in own.values() if "build" not in service)


def test_own_containers_have_no_privileges_and_write_to_memory_only(own: dict[str, dict[str, Any]]) -> None:
    for service in own.values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
        assert [mount.split(":")[0] for mount in service["tmpfs"]] == ["/tmp"]  # noqa: S108
        assert "volumes" not in service


def test_no_container_takes_all_memory_or_fills_the_disk_with_its_log(
    services: dict[str, dict[str, Any]],
) -> None:
    for service in services.values():
        assert re.fullmatch(r"\d+m", service["mem_limit"])
        assert service["logging"]["driver"] == "json-file"
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}


def test_containers_may_finish_their_work_before_they_are_killed(
    services: dict[str, dict[str, Any]], own: dict[str, dict[str, Any]]
) -> None:
    gateway = json.loads((CHECKOUT / "krakend" / "krakend.json").read_text())
    drains_s = settings(0)["graceful_timeout"]

    assert all(seconds(service["stop_grace_period"]) > drains_s for service in own.values())
    assert seconds(services["gateway"]["stop_grace_period"]) > seconds(gateway["max_shutdown_wait_time"])


def seconds(duration: str) -> int:
    match = re.fullmatch(r"(\d+)s", duration)
    assert match
    return int(match[1])


def test_production_publishes_the_gateway_alone(services: dict[str, dict[str, Any]]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}

    assert published == {"gateway": ["${PUBLISH_IP:-127.0.0.1}:8080:8080"]}
    assert not any("network_mode" in service for service in services.values())


def test_ports_past_the_gateway_are_the_labs_with_a_setting_of_their_own() -> None:
    """PUBLISH_IP=0.0.0.0 opens the gateway to the world, not what its limits protect."""
    lab = yaml.safe_load((CHECKOUT / "docker-compose.lab.yml").read_text())["services"]

    assert all(set(service) == {"ports"} for service in lab.values())
    assert {name: service["ports"] for name, service in lab.items()} == {
        "bank_simulator": ["${PUBLISH_IP:-127.0.0.1}:5012:5012"],
        "payments_api": ["${DIRECT_PUBLISH_IP:-127.0.0.1}:5009:5009"],
        "mail": ["${DIRECT_PUBLISH_IP:-127.0.0.1}:8025:8025"],
    }


def test_the_image_holds_what_runs_and_nothing_that_installs(stages: list[list[str]]) -> None:
    build, final = stages
    installs = [line for line in build if re.search(r"\bpip\b.* install ", line)]
    copies = [line.split() for line in final if line.startswith(("COPY ", "ADD "))]

    assert build[0] == f"{final[0]} AS build"
    assert any("--require-hashes" in line for line in installs)
    assert not any(re.search(r"\s(-e|--editable)\s", line) for line in installs)
    assert not any(re.search(r"\b(pip|apt-get|apt)\b.* install\b", line) for line in final)
    assert any(re.search(r"\bpip uninstall\b.* setuptools wheel pip\b", line) for line in final)
    # What comes from the checkout directly would keep the modes of its umask.
    assert copies
    assert all(words[1] == "--from=build" for words in copies)
    assert any(line.startswith("RUN ") and "chmod -R a+rX /app" in line for line in build)


def test_test_support_stays_out_of_the_images(own: dict[str, dict[str, Any]]) -> None:
    ignored = (CHECKOUT / ".dockerignore").read_text().splitlines()
    sent = {line[1:] for line in ignored if line.startswith("!")}
    services = {service["build"]["args"]["SERVICE"] for service in own.values() if "build" in service}

    assert "*" in ignored
    assert sent == {"requirements", "service-kit", *services}
    assert {"**/tests", "**/testing", "**/testing.py"} <= set(ignored)


def test_the_image_runs_as_a_user_by_number(stages: list[list[str]]) -> None:
    users = [line.split()[1] for line in stages[-1] if line.startswith("USER ")]

    assert users
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", users[-1])


@pytest.mark.parametrize("pyproject", sorted(CHECKOUT.glob("*/pyproject.toml")), ids=lambda p: p.parent.name)
def test_a_real_install_has_every_file_of_the_package(pyproject: Path) -> None:
    """The images install packages; what only an editable install finds would be missing there."""
    tool = tomllib.loads(pyproject.read_text())["tool"]["setuptools"]
    ((package, patterns),) = tool["package-data"].items()
    root = pyproject.parent / "src" / package
    files = [f for f in root.rglob("*") if f.is_file() and "__pycache__" not in f.parts]

    for file in files:
        if file.suffix == ".py":
            assert (file.parent / "__init__.py").exists(), file
        else:
            name = file.relative_to(root).as_posix()
            assert any(fnmatch(name, pattern.replace("**/*", "*")) for pattern in patterns), file


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """A `docker` that knows the container named in `name`, and notes how it is called."""
    program = tmp_path / "docker"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n[ "$1" != ps ] || cat {tmp_path}/name\n')
    program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("found", "gateway", "starts"),
    [
        ("", "yes", True),
        ("api-gateway of caisse", "yes", True),
        ("api-gateway of store-manager", "yes", False),
        ("api-gateway of nobody", "yes", False),
        ("api-gateway of store-manager", "no", True),
    ],
)
def test_make_up_says_what_to_do_about_another_api_gateway(
    docker: Path, found: str, gateway: str, starts: bool
) -> None:
    (docker / "name").write_text(found)

    done = subprocess.run(
        ["make", "up", f"GATEWAY={gateway}", f"VENV={docker}/none"],
        cwd=CHECKOUT,
        env={**os.environ, "PATH": f"{docker}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode == 0) is starts
    assert ("compose -f" in (docker / "calls").read_text()) is starts
    assert ("make up GATEWAY=no" in done.stdout) is not starts


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
    # Payment pages, and where a bank sends its cardholder back to, are on the service's own port.
    for name in ("payments_api", "payments_worker", "payments_migrate"):
        public = services[name]["environment"]["PUBLIC_BASE_URL"].replace(":8080", ":5009")
        assert overlay["services"].pop(name) == {"environment": {"PUBLIC_BASE_URL": public}}
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
    text = "".join((CHECKOUT / f"docker-compose{part}.yml").read_text() for part in ("", ".lab"))
    with_default = set(re.findall(r"(?<!\$)\$\{(\w+):-", text))
    passed_on = set(re.findall(r"^  ([A-Z_]+):$", text, re.MULTILINE))
    example = (CHECKOUT / ".env.example").read_text()
    listed = set(re.findall(r"^(\w+)=", example, re.MULTILINE))

    assert with_default
    assert passed_on
    assert listed == with_default | passed_on
