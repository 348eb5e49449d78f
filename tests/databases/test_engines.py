import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from click import ClickException
from click.testing import CliRunner
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.testkit.databases import engines, fetch_mysql
from tests.testkit.databases.engines import EngineFailed, MariaDbServer
from tests.testkit.databases.plugin import SERVERS, DatabaseUrlFactory, EngineServers
from tests.testkit.databases.private_directory import PrivateDirectory

pytest_plugins = ["pytester"]

SERVER_ENGINES = pytest.mark.engines("mariadb", "mysql")


def _run(url: str, *statements: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements[:-1]:
                connection.execute(text(statement))
            result = connection.execute(text(statements[-1]))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _is_alive(pid)


@pytest.fixture
def server_class(database_engine: str, engine_servers: EngineServers) -> type[engines.DatabaseServer]:
    engine_servers.get(database_engine)  # skips or fails here when the engine is not installed
    return SERVERS[database_engine]


def test_every_database_is_new_and_empty(
    database_url: str, database_url_factory: DatabaseUrlFactory, module_database_url: str
) -> None:
    other = database_url_factory("other")

    for url in (database_url, other, module_database_url):
        rows = _run(url, "CREATE TABLE n (id INTEGER)", "INSERT INTO n VALUES (7)", "SELECT id FROM n")
        assert rows == [(7,)]
    assert len({database_url, other, module_database_url}) == 3


def test_the_url_belongs_to_the_engine(database_url: str, database_engine: str) -> None:
    function = "sqlite_version()" if database_engine == "sqlite" else "version()"
    ((version,),) = _run(database_url, f"SELECT {function}")

    assert ("MariaDB" in str(version)) == (database_engine == "mariadb")
    assert database_url.startswith("sqlite:///" if database_engine == "sqlite" else "mysql+pymysql://")


@SERVER_ENGINES
def test_a_user_reaches_no_other_database(database_engine: str, engine_servers: EngineServers) -> None:
    server = engine_servers.get(database_engine)
    name = engine_servers.unused_name("own")
    look_alike = name.replace("_", "x")  # what the name would also match as a pattern of GRANT
    url = server.create_database(name)
    _run(server.create_database(look_alike), "CREATE TABLE secret (id INTEGER)")

    assert (look_alike,) not in _run(url, "SHOW DATABASES")
    with pytest.raises(OperationalError, match="denied"):
        _run(url, f"DROP TABLE {look_alike}.secret")


@SERVER_ENGINES
def test_nobody_gets_in_without_a_password(database_url: str) -> None:
    port = create_engine(database_url).url.port

    with pytest.raises(OperationalError, match="1045"):
        _run(f"mysql+pymysql://root@127.0.0.1:{port}/mysql", "SELECT 1")


@SERVER_ENGINES
def test_names_that_are_not_plain_are_refused(database_engine: str, engine_servers: EngineServers) -> None:
    with pytest.raises(ValueError, match="not a database name"):
        engine_servers.get(database_engine).create_database("a`; DROP DATABASE b")


@SERVER_ENGINES
@pytest.mark.parametrize(("durable", "expected"), [(True, (1, 1, 1)), (False, (0, 0, 0))])
def test_only_a_durable_server_writes_each_commit_to_disk(
    server_class: type[engines.DatabaseServer], durable: bool, expected: tuple[int, int, int]
) -> None:
    with server_class(durable=durable) as server:
        url = server.create_database("durable")
        rows = _run(url, "SELECT @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@log_bin")

    assert rows == [expected]


@SERVER_ENGINES
def test_a_stopped_server_leaves_nothing_behind(
    server_class: type[engines.DatabaseServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with server_class() as server:
        pid = server.pid
        assert pid is not None
        assert _is_alive(pid)
        assert list(tmp_path.iterdir())

    assert not _is_alive(pid)
    assert list(tmp_path.iterdir()) == []
    assert server.pid is None


@SERVER_ENGINES
def test_a_server_dies_with_its_parent(server_class: type[engines.DatabaseServer], tmp_path: Path) -> None:
    script = (
        f"from tests.testkit.databases.engines import {server_class.__name__} as Server\n"
        "print(Server().start().pid, flush=True)\n"
        "input()\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert _is_alive(pid)
        parent.send_signal(signal.SIGKILL)

    try:
        assert _ends_within(pid, 60)
    finally:
        if _is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def test_an_abandoned_directory_is_cleared_by_the_next(tmp_path: Path) -> None:
    long_ago = time.time() - 3600
    abandoned = tmp_path / f"{PrivateDirectory.PREFIX}abandoned"
    (abandoned / "data").mkdir(parents=True)
    in_use = PrivateDirectory(tmp_path)
    for path in (abandoned, in_use.path):
        os.utime(path, (long_ago, long_ago))

    new = PrivateDirectory(tmp_path)

    assert set(tmp_path.iterdir()) == {in_use.path, new.path}
    in_use.remove()
    new.remove()


@pytest.mark.engines("mariadb")
def test_a_server_that_does_not_start_says_why(
    server_class: type[engines.DatabaseServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Misconfigured(MariaDbServer):
        def _options(self) -> list[str]:
            return ["--no-such-option"]

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with pytest.raises(EngineFailed, match="no-such-option"):
        Misconfigured().start()
    assert list(tmp_path.iterdir()) == []


@SERVER_ENGINES
def test_a_port_taken_meanwhile_is_replaced(
    database_engine: str,
    engine_servers: EngineServers,
    server_class: type[engines.DatabaseServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = engine_servers.get(database_engine).port
    free = engines._free_port()
    ports = iter([taken, free])
    monkeypatch.setattr(engines, "_free_port", lambda: next(ports))

    with server_class() as server:
        assert server.port == free


MODULE = """
import psutil
import pytest

def test_first(module_database_url):
    assert not seen
    seen.append(module_database_url)

def test_second(module_database_url):
    assert seen == [module_database_url]

@pytest.mark.engines("mysql")
def test_only_on_mysql(database_url):
    pass

@pytest.mark.deep_on("sqlite")
def test_deep_on_this_engine(database_url):
    pass

seen = []
"""


def test_a_module_shares_one_database(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(MODULE)

    result = _run_pytest(pytester, "--engines", "sqlite", "-rs", "-m", "not deep")

    result.assert_outcomes(passed=2, skipped=1, deselected=1)
    result.stdout.fnmatch_lines(["engines: sqlite"])


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", {"skipped": 1}), ("true", {"errors": 1})], ids=["desk", "ci"]
)
def test_a_missing_engine_is_skipped_on_a_desk_and_fails_under_ci(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    ci: str,
    outcome: dict[str, int],
) -> None:
    pytester.makepyfile("def test_it(database_url): pass")
    monkeypatch.setenv("MYSQL_ROOT", str(tmp_path / "nothing"))
    monkeypatch.setenv("CI", ci)

    result = _run_pytest(pytester, "--engines", "mysql", "-rsE")

    result.assert_outcomes(**outcome)
    result.stdout.fnmatch_lines(["*MySQL is not there: run python -m tests.testkit.databases.fetch_mysql*"])


def test_an_unknown_engine_is_refused(pytester: pytest.Pytester) -> None:
    result = _run_pytest(pytester, "--engines", "sqlite,oracle")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--engines: unknown oracle; known are sqlite, mariadb, mysql"])


def test_the_archive_is_read_from_both_formats_of_apt_sources(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://old.example/debian stable main\n"
        "deb [ arch=amd64 signed-by=/keys/one.gpg ] http://one.example/debian bookworm main contrib # here\n"
        "deb http://one.example/debian-security bookworm-security main\n"
        "deb-src http://one.example/debian bookworm main\n"
        "deb http://tools.example/linux bookworm stable\n"
    )
    (tmp_path / "sources.list.d" / "two.sources").write_text(
        "Types: deb deb-src\n# a remark\nURIs: http://two.example/debian\nSuites: bookworm bookworm-updates\n"
        "Components: main\nSigned-By:\n -----BEGIN KEY-----\n .\n abc\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\n"
    )

    one, two = fetch_mysql.archives(tmp_path)

    assert one.source("unstable") == (
        "Types: deb\nURIs: http://one.example/debian\nSuites: unstable\nComponents: main\n"
        "Signed-By: /keys/one.gpg\n"
    )
    assert two == fetch_mysql.Archive("http://two.example/debian", "-----BEGIN KEY-----\n .\n abc")


def test_fetching_again_does_nothing(tmp_path: Path) -> None:
    engines.mysql_template(tmp_path).mkdir()

    result = CliRunner().invoke(fetch_mysql.main, ["--into", str(tmp_path)])

    assert (result.exit_code, result.output) == (0, f"MySQL: already in {tmp_path}\n")


def test_a_failed_fetch_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    etc_apt = tmp_path / "etc"
    etc_apt.mkdir()
    archive = tmp_path / "archive"
    (etc_apt / "sources.list").write_text(f"deb file:{archive} bookworm main\n")
    into = tmp_path / "cache" / "mysql"

    with pytest.raises(ClickException, match="could not be fetched") as failure:
        fetch_mysql.fetch(into, etc_apt)

    assert str(archive) in failure.value.message
    assert list(into.parent.iterdir()) == []


def _run_pytest(pytester: pytest.Pytester, *words: str) -> pytest.RunResult:
    """Run pytest in a folder of its own, with the plugin of this checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        return pytester.runpytest_subprocess("-p", "tests.testkit.databases.plugin", *words)
