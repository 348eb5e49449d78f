"""Keeps temporary files, databases above all, in memory when several processes share the tests."""

import os
import tempfile
from pathlib import Path

import pytest
from service_kit.process import logs

from tests.testkit.databases.private_directory import PrivateDirectory

pytest_plugins = ["tests.testkit.databases.plugin"]

# Applications with other settings follow one another in this process.
logs.KEEP_LOGGERS = False

MEMORY = Path("/dev/shm")  # noqa: S108  a locked folder of our own in it
ROOM_BYTES = 4 * 2**30
LONG = ("tests/model/", "tests/run/", "tests/fuzzing/", "tests/e2e/")


def pytest_configure(config: pytest.Config) -> None:
    # The processes inherit TMPDIR. A single test run by hand keeps its files where pytest always leaves them.
    if "TMPDIR" in os.environ or not config.getoption("numprocesses", None) or not has_room(MEMORY):
        return
    folder = PrivateDirectory(MEMORY)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder.path)
    config.add_cleanup(folder.remove)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: at the end, one process would be alone with it."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def has_room(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    system = os.statvfs(folder)
    # Containers often forbid running programs from there, which some tests do.
    return system.f_bavail * system.f_frsize >= ROOM_BYTES and not system.f_flag & os.ST_NOEXEC
