"""What a run can be told by the environment: its folder, its ports and its neighbours."""

import ipaddress
import socket
from contextlib import ExitStack, closing
from dataclasses import dataclass, fields
from pathlib import Path

from environs import Env, ValidationError, validate

HIGHEST_PORT = 65535
_IPV4 = 4
CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Ports:
    """One port per process that listens; the last two are for wake-up datagrams (UDP)."""

    gateway: int = 8080
    payment: int = 5009
    fraud: int = 5010
    notification: int = 5011
    bank: int = 5012
    payment_wake: int = 5909
    notification_wake: int = 5911

    def by_setting(self) -> dict[str, int]:
        """All ports by the name of their setting, such as GATEWAY_PORT."""
        return {f"{field.name.upper()}_PORT": getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class RunSettings:
    """The settings of one run; two runs with other ports and folders live side by side."""

    run_dir: Path
    ports: Ports
    listen_ip: str = "127.0.0.1"
    store_manager: str = "http://127.0.0.1:5000"
    orders_per_minute: int = 10

    @classmethod
    def from_env(cls) -> "RunSettings":
        """Read RUN_DIR, the ports (GATEWAY_PORT, PAYMENT_PORT, …), GATEWAY_LISTEN_IP, STORE_MANAGER_URL and
        ORDERS_PER_MINUTE.

        Raises:
            EnvError: a value cannot be read; the message names it.
        """
        env = Env()
        return cls(
            run_dir=(CHECKOUT / env.str("RUN_DIR", ".run")).resolve(),
            ports=Ports(
                *(
                    env.int(setting, port, validate=validate.Range(1, HIGHEST_PORT))
                    for setting, port in Ports().by_setting().items()
                )
            ),
            listen_ip=env.str("GATEWAY_LISTEN_IP", cls.listen_ip, validate=_check_ip),
            store_manager=env.str("STORE_MANAGER_URL", cls.store_manager),
            orders_per_minute=env.int("ORDERS_PER_MINUTE", cls.orders_per_minute),
        )

    @classmethod
    def on_free_ports(cls, run_dir: Path) -> "RunSettings":
        """Return settings for one more system beside others, its shop's address included."""
        *ports, shop = _free_ports(len(fields(Ports)) + 1)
        return cls(run_dir, Ports(*ports), store_manager=f"http://127.0.0.1:{shop}")

    def as_environment(self) -> dict[str, str]:
        """Return what `from_env` reads back, for a run in a process of its own."""
        return {
            "RUN_DIR": str(self.run_dir),
            **{setting: str(port) for setting, port in self.ports.by_setting().items()},
            "GATEWAY_LISTEN_IP": self.listen_ip,
            "STORE_MANAGER_URL": self.store_manager,
            "ORDERS_PER_MINUTE": str(self.orders_per_minute),
        }

    @property
    def ready_file(self) -> Path:
        """Holds the addresses of a run, from the moment when all is ready until it stops."""
        return self.run_dir / "ready.json"

    @property
    def gateway_file(self) -> Path:
        """The rendered configuration of the gateway."""
        return self.run_dir / "krakend.json"

    @property
    def lab_client_file(self) -> Path:
        """The credentials of the lab's API client, readable by its owner only."""
        return self.run_dir / "lab-client.json"

    @property
    def keys_file(self) -> Path:
        """The secrets drawn for this folder, as lines for a shell, readable by its owner only."""
        return self.run_dir / "keys.env"

    def database(self, service: str) -> Path:
        """The SQLite file of a service."""
        return self.run_dir / f"{service}.db"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.run_dir / "logs"

    @property
    def mail(self) -> Path:
        """Receipts as .eml files."""
        return self.run_dir / "mail"

    @property
    def gateway_url(self) -> str:
        """Where a person on this machine reaches the gateway."""
        address = ipaddress.ip_address(self.listen_ip)
        if address.is_unspecified:
            address = ipaddress.ip_address("127.0.0.1" if address.version == _IPV4 else "::1")
        host = str(address) if address.version == _IPV4 else f"[{address}]"
        return f"http://{host}:{self.ports.gateway}"


def _check_ip(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError as exc:
        raise ValidationError("Must be an address such as 127.0.0.1, 0.0.0.0 or ::.") from exc


def _free_ports(number: int) -> list[int]:
    """Ports that nobody had a moment ago; all are held until all are found, so that they differ."""
    with ExitStack() as held:
        probes = [held.enter_context(closing(socket.socket())) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
