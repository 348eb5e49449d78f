"""The pytest plugin: hands each test an empty database on every chosen engine."""

import itertools
import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.testkit.databases.engines import DatabaseServer, EngineMissing, MariaDbServer, MySqlServer

SERVERS: dict[str, type[DatabaseServer]] = {"mariadb": MariaDbServer, "mysql": MySqlServer}
ENGINES = ("sqlite", *SERVERS)
DEFAULT_ENGINES = "sqlite,mariadb"

DatabaseUrlFactory = Callable[[str], str]


class EngineServers:
    """The servers of this test session: each is started when a test first asks for it."""

    def __init__(self) -> None:
        self._running: dict[str, DatabaseServer] = {}
        self._numbers = itertools.count(1)

    def get(self, engine: str) -> DatabaseServer:
        """The running server of an engine; without it the test is skipped, or fails under CI."""
        if engine not in self._running:
            try:
                self._running[engine] = SERVERS[engine]().start()
            except EngineMissing as missing:
                give_up(str(missing))
        return self._running[engine]

    def unused_name(self, name: str) -> str:
        """A database name that this session has not used yet."""
        return f"{name}_{next(self._numbers)}"

    def stop(self) -> None:
        """Stop every server that was started."""
        for server in self._running.values():
            server.stop()
        self._running.clear()


def give_up(reason: str) -> None:
    """Skip the test for want of something, or let it fail under CI, where nothing may be missing."""
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --engines; its default comes from CAISSE_TEST_ENGINES, then sqlite,mariadb."""
    parser.addoption(
        "--engines",
        default=os.environ.get("CAISSE_TEST_ENGINES") or DEFAULT_ENGINES,
        help=f"database engines to test on, separated by commas: {', '.join(ENGINES)} (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Document the markers, let examples take their time, and refuse an engine that nobody knows."""
    # How long an example takes says how busy the machine is.
    settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")
    config.addinivalue_line("markers", "engines(name, ...): run only on those of the chosen engines")
    config.addinivalue_line("markers", "deep_on(name, ...): deep on those engines, where it takes long")
    unknown = set(_chosen(config)) - set(ENGINES)
    if unknown:
        raise pytest.UsageError(
            f"--engines: unknown {', '.join(sorted(unknown))}; known are {', '.join(ENGINES)}"
        )


def pytest_report_header(config: pytest.Config) -> str:
    """Say on which engines the tests run."""
    return f"engines: {', '.join(_chosen(config))}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run whatever needs a database once per chosen engine.

    The session's scope lets pytest group tests by engine, so that a module's database is made once for each.
    """
    if "database_engine" not in metafunc.fixturenames:
        return
    chosen = _chosen(metafunc.config)
    marker = metafunc.definition.get_closest_marker("engines")
    if marker:
        chosen = [engine for engine in chosen if engine in marker.args]
    deep_on = metafunc.definition.get_closest_marker("deep_on")
    marked = [
        pytest.param(engine, marks=[pytest.mark.deep] if deep_on and engine in deep_on.args else [])
        for engine in chosen
    ]
    metafunc.parametrize("database_engine", marked, indirect=True, scope="session")


def _chosen(config: pytest.Config) -> list[str]:
    names = str(config.getoption("--engines")).split(",")
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


@pytest.fixture(scope="session")
def engine_servers() -> Iterator[EngineServers]:
    """The servers of this session, started on demand and stopped at its end."""
    servers = EngineServers()
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def database_engine(request: pytest.FixtureRequest) -> str:
    """The engine on which the test runs now: sqlite, mariadb or mysql."""
    engine: str = request.param
    return engine


@pytest.fixture(scope="session")
def database_url_factory(
    database_engine: str, engine_servers: EngineServers, tmp_path_factory: pytest.TempPathFactory
) -> DatabaseUrlFactory:
    """Call it with a short name for one more empty database on the engine of this test.

    Its scope lets fixtures of any scope use it. Databases stay until the session ends: a test that left a
    connection open could otherwise block their removal.
    """

    def make(name: str) -> str:
        unused = engine_servers.unused_name(name)
        if database_engine == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp(unused)}/{name}.db"
        return engine_servers.get(database_engine).create_database(unused)

    return make


@pytest.fixture
def database_url(database_url_factory: DatabaseUrlFactory) -> str:
    """A new, empty database for this test alone."""
    return database_url_factory("test")


@pytest.fixture(scope="module")
def module_database_url(database_url_factory: DatabaseUrlFactory) -> str:
    """A new, empty database for all tests of the module: migrate it once, in a fixture of that scope."""
    return database_url_factory("module")


@pytest.fixture(scope="session")
def session_database_url(database_url_factory: DatabaseUrlFactory) -> str:
    """A new, empty database for the whole session: migrate it once, in a fixture of that scope."""
    return database_url_factory("session")
