"""Private database servers, for tests and benchmarks: each belongs to the process that started it."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import pymysql
from pymysql.cursors import Cursor

from tests.testkit.databases.private_directory import PrivateDirectory

START_TIMEOUT_S = 180
ADMIN = "admin"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class EngineMissing(Exception):
    """The engine is not installed on this machine; the message says how to get it."""


class EngineFailed(Exception):
    """The engine is installed but did not start; the message ends with its log."""


class DatabaseServer(ABC):
    """A server of the MySQL family on a free port of 127.0.0.1, with a data directory that ends with it.

    Use it as a context manager, or call `start` and `stop`. Start it from a thread that lives as long as
    it is needed: the kernel kills the server when that thread, or its whole process, is gone (on Linux).

    `durable` makes every commit reach the disk, binary log included, as in production; without it a commit
    may wait in memory, which tests do not notice.
    """

    label: ClassVar[str]

    def __init__(self, *, durable: bool = False, buffer_pool_mb: int = 64) -> None:
        self.durable = durable
        self.buffer_pool_mb = buffer_pool_mb
        self.port = 0
        self._password = secrets.token_hex(16)
        self._home: PrivateDirectory | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _prepare(self, data: Path) -> None:
        """Make a data directory with the system tables; raises EngineMissing."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The server's program, up to its options; raises EngineMissing."""

    @abstractmethod
    def _options(self) -> list[str]:
        """The options that only this engine knows."""

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> Self:
        """Start the server and wait until it answers; raises EngineMissing, EngineFailed."""
        command = self._command()
        self._home = PrivateDirectory()
        try:
            self._prepare(self._home.path / "data")
            self._write_init_file(self._home.path / "init.sql")
            self._run(command, self._home.path)
        except BaseException:
            self.stop()
            raise
        return self

    def kill(self) -> None:
        """Kill the server; its port is closed then."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Kill the server, whose data nobody needs any more, and remove its directory."""
        self.kill()
        if self._home:
            self._home.remove()
            self._home = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def create_database(self, name: str) -> str:
        """Make an empty database and a user of the same name who sees nothing else; its SQLAlchemy URL."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a database name: {name!r}")
        password = secrets.token_hex(16)
        pattern = name.replace("_", r"\_")  # in GRANT, a bare underscore matches any character
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{name}`")
            cursor.execute(f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{password}'")
            cursor.execute(f"GRANT ALL ON `{pattern}`.* TO '{name}'@'127.0.0.1'")
        # PyMySQL would read the machine's certificates for each connection (20 ms) before it sees that there
        # is no TLS here.
        # Servers of a busy machine are slow to answer.
        timeouts = "connect_timeout=120&read_timeout=120&write_timeout=120"
        options = f"charset=utf8mb4&ssl_disabled=true&{timeouts}"
        return f"mysql+pymysql://{name}:{password}@127.0.0.1:{self.port}/{name}?{options}"

    def _run(self, command: Sequence[str], home: Path) -> None:
        """Start on a free port; again on another one when somebody else was faster."""
        log = home / "server.log"
        for _ in range(3):
            self.port = _free_port()
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    [*_with_parent_death(), *command, *self._common_options(home), *self._options()],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=server_environment(),
                    start_new_session=True,  # Ctrl-C is for the tests, which still need the server to finish
                )
            if self._answers():
                return
            self.kill()
            if "Address already in use" not in log.read_text(errors="replace"):
                break
        raise EngineFailed(f"{self.label} did not start:\n{_tail(log)}")

    def _answers(self) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process and self._process.poll() is None:
            with suppress(pymysql.err.OperationalError):
                self._connect().close()
                return True
            time.sleep(0.02)
        return False

    def _connect(self) -> "pymysql.Connection[Cursor]":
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=ADMIN,
            password=self._password,
            ssl_disabled=True,
            connect_timeout=60,
        )

    def _write_init_file(self, path: Path) -> None:
        """SQL that the server runs before it listens: only an account with a random password remains."""
        admin = f"'{ADMIN}'@'127.0.0.1'"
        statements = [
            f"CREATE USER {admin} IDENTIFIED BY '{self._password}'",
            f"GRANT ALL ON *.* TO {admin} WITH GRANT OPTION",
            "DROP USER IF EXISTS 'root'@'localhost', 'root'@'127.0.0.1', 'root'@'::1'",
        ]
        path.touch(mode=0o600)
        path.write_text("".join(f"{statement};\n" for statement in statements))

    def _common_options(self, home: Path) -> list[str]:
        flush = "1" if self.durable else "0"
        return [
            "--no-defaults",  # first, or the server refuses it
            *as_current_user(),
            f"--datadir={home / 'data'}",
            f"--init-file={home / 'init.sql'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--socket=server.sock",  # relative to the data directory, so that it is never too long
            "--skip-name-resolve",
            "--performance-schema=OFF",
            "--character-set-server=utf8mb4",
            f"--innodb-buffer-pool-size={self.buffer_pool_mb}M",
            f"--innodb-flush-log-at-trx-commit={flush}",
            f"--sync-binlog={flush}",
            "--log-bin=binlog" if self.durable else "--skip-log-bin",
            f"--innodb-doublewrite={'ON' if self.durable else 'OFF'}",
        ]


class MariaDbServer(DatabaseServer):
    """MariaDB from the packages mariadb-server-core and mariadb-client-core."""

    label = "MariaDB"

    def _prepare(self, data: Path) -> None:
        done = subprocess.run(
            [
                self._program("mariadb-install-db"),
                "--no-defaults",
                *as_current_user(),
                f"--datadir={data}",
                "--skip-test-db",
                "--skip-name-resolve",
                "--auth-root-authentication-method=normal",
                "--force",  # do without a resolvable host name
                "--innodb-log-file-size=32M",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise EngineFailed(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")

    def _command(self) -> list[str]:
        return [self._program("mariadbd")]

    def _options(self) -> list[str]:
        return [f"--innodb-log-file-size={128 if self.durable else 32}M"]

    @staticmethod
    def _program(name: str) -> str:
        # Servers live in sbin, which is not on everybody's PATH.
        found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")
        if found is None:
            raise EngineMissing(f"MariaDB is not installed: no {name} (package mariadb-server-core)")
        return found


class MySqlServer(DatabaseServer):
    """Real MySQL, from the folder that `python -m tests.testkit.databases.fetch_mysql` fills."""

    label = "MySQL"

    def __init__(self, *, durable: bool = False, buffer_pool_mb: int = 64, root: Path | None = None) -> None:
        super().__init__(durable=durable, buffer_pool_mb=buffer_pool_mb)
        self.root = root or mysql_root()

    def _prepare(self, data: Path) -> None:
        shutil.copytree(mysql_template(self.root), data)

    def _command(self) -> list[str]:
        if not mysql_template(self.root).is_dir():
            raise EngineMissing("MySQL is not there: run python -m tests.testkit.databases.fetch_mysql")
        return mysqld_command(self.root)

    def _options(self) -> list[str]:
        return [
            f"--innodb-redo-log-capacity={256 if self.durable else 64}M",
            "--mysqlx=OFF",
            "--secure-file-priv=NULL",  # Debian's default names a folder that only its own package makes
            "--auto-generate-certs=OFF",  # no TLS on the loopback; keys cost time at each start
        ]


def mysql_root() -> Path:
    """The folder of the unpacked MySQL: MYSQL_ROOT, or .cache/mysql in the checkout that we are in."""
    configured = os.environ.get("MYSQL_ROOT")
    if configured:
        return Path(configured).resolve()
    here = Path.cwd()
    checkout = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    return checkout / ".cache" / "mysql"


def mysql_template(root: Path) -> Path:
    """The data directory of which each server takes a copy; it exists once `root` is complete."""
    return root / "template"


def mysqld_command(root: Path) -> list[str]:
    """The unpacked mysqld, run by the C library and loader that were unpacked with it.

    It needs newer ones than the machine's; asking its own loader needs neither a chroot nor root's rights.
    """
    loader = next(root.glob("usr/lib/*/ld-linux*.so.*"), None)
    if loader is None:
        raise EngineMissing(f"MySQL in {root} is not complete: remove the folder and fetch it again")
    libraries = ["--inhibit-cache", "--library-path", str(loader.parent)]
    return [str(loader), *libraries, str(root / "usr/sbin/mysqld")]


def server_environment() -> dict[str, str]:
    """Nothing of the caller's libraries, locale or OpenSSL configuration reaches a server."""
    return {"PATH": os.defpath, "LC_ALL": "C", "OPENSSL_CONF": os.devnull}


def as_current_user() -> list[str]:
    """Servers refuse root unless told: inside a container, the tests have no other user."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _with_parent_death() -> list[str]:
    """A prefix that has the kernel kill the server when we are gone; empty where there is no setpriv."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
