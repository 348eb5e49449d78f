"""The processes of Caisse and what each is told, as data: to change what runs, change these tables."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from run.keys import read_keys
from run.settings import CHECKOUT, RunSettings

_EACH_ITS_OWN = frozenset({"DATABASE_URL", "WORKER_WAKE_ADDRESS"})
_BIN = Path(sys.executable).parent  # not resolved: the environment's programs lie beside its own python


@dataclass(frozen=True)
class ReadyUrl:
    """Ready when this address answers 200."""

    url: str


@dataclass(frozen=True)
class ReadyLine:
    """Ready when its log says so."""

    text: str


@dataclass(frozen=True)
class Process:
    """A program that is kept running; its environment is added to ours."""

    name: str
    command: tuple[str, ...]
    ready: ReadyUrl | ReadyLine
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A program that runs once, before the processes start."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def processes(settings: RunSettings) -> tuple[Process, ...]:
    """Everything that runs, in the order in which it is started."""
    ports = settings.ports
    environments = _environments(settings)
    return (
        _service("bank-simulator", ports.bank, environments),
        _service("fraud-service", ports.fraud, environments),
        _service("notification-service", ports.notification, environments),
        _worker("notification-service", environments),
        _service("payment-service", ports.payment, environments),
        _worker("payment-service", environments),
        Process(
            "gateway",
            (sys.executable, "-m", "gateway", "run", "-c", str(settings.gateway_file)),
            ReadyUrl(f"{settings.gateway_url}/__health"),
        ),
    )


def migrations(settings: RunSettings) -> tuple[Task, ...]:
    """Every service brings its own database up to date."""
    return tuple(
        Task(f"migrate-{service}", (str(_BIN / service), "migrate"), environment)
        for service, environment in _environments(settings).items()
    )


def preparations(settings: RunSettings) -> tuple[Task, ...]:
    """The lab's data, which seeding twice does not double, and the gateway's file."""
    environments = _environments(settings)
    options = {"payment-service": ("--lab-client-file", str(settings.lab_client_file))}
    seeds = tuple(
        Task(
            f"seed-{service}",
            (str(_BIN / service), "seed", *options.get(service, ())),
            environments[service],
        )
        for service in ("payment-service", "fraud-service", "bank-simulator")
    )
    return (*seeds, Task("render-gateway", _render(settings)))


def _render(settings: RunSettings) -> tuple[str, ...]:
    options = {
        "--output": settings.gateway_file,
        "--payment-service": f"http://127.0.0.1:{settings.ports.payment}",
        "--store-manager": settings.store_manager,
        "--port": settings.ports.gateway,
        "--listen-ip": settings.listen_ip,
        "--orders-per-minute": settings.orders_per_minute,
    }
    words = [str(word) for option in options.items() for word in option]
    return (sys.executable, "-m", "gateway", "render", *words)


def _environments(settings: RunSettings) -> dict[str, dict[str, str]]:
    """What each service and its worker are told (the names are those of their README)."""
    ports = settings.ports
    payment_wake = f"127.0.0.1:{ports.payment_wake}"
    notification_wake = f"127.0.0.1:{ports.notification_wake}"
    own: dict[str, dict[str, str]] = {
        "payment-service": {
            "FRAUD_SERVICE_URL": f"http://127.0.0.1:{ports.fraud}",
            "NOTIFICATION_SERVICE_URL": f"http://127.0.0.1:{ports.notification}",
            "BANK_URL": f"http://127.0.0.1:{ports.bank}",
            "STORE_MANAGER_ORDERS_URL": f"{settings.gateway_url}/store-manager-api/orders",
            "WORKER_WAKE_ADDRESS": payment_wake,
            "PUBLIC_BASE_URL": settings.gateway_url,
        },
        "fraud-service": {},
        "notification-service": {"OUTBOX_DIR": str(settings.mail), "WORKER_WAKE_ADDRESS": notification_wake},
        "bank-simulator": {
            "SIMULATOR_PUBLIC_URL": f"http://127.0.0.1:{ports.bank}",
            "BANK_WEBHOOK_URL": f"{settings.gateway_url}/provider-webhooks/bank-simulator",
        },
    }
    return {
        service: _with_what_the_user_gave(
            {
                "DATABASE_URL": f"sqlite:///{settings.database(service)}",
                **read_keys(settings, service),
                **environment,
            }
        )
        for service, environment in own.items()
    }


def _with_what_the_user_gave(environment: Mapping[str, str]) -> dict[str, str]:
    """It wins, unless it would name one thing of several services."""
    given = {name: os.environ[name] for name in environment.keys() - _EACH_ITS_OWN if os.environ.get(name)}
    return {**environment, **given}


def _service(name: str, port: int, environments: Mapping[str, Mapping[str, str]]) -> Process:
    address = f"127.0.0.1:{port}"
    return Process(
        name,
        (sys.executable, "-m", "gunicorn", "-c", str(CHECKOUT / name / "gunicorn.conf.py")),
        ReadyUrl(f"http://{address}/health/ready"),
        {**environments[name], "BIND": address},
    )


def _worker(service: str, environments: Mapping[str, Mapping[str, str]]) -> Process:
    return Process(
        f"{service.removesuffix('-service')}-worker",
        (str(_BIN / service), "worker"),
        ReadyLine("worker_started"),
        environments[service],
    )
