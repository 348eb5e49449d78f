import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.watched import Start, programs


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a Python program, with settings added to its environment; it ends with the test."""
    with programs(tmp_path) as start_it:
        yield start_it


@pytest.fixture(autouse=True)
def _own_umask() -> Iterator[None]:
    """Give back the umask that a command of `run` changes for its process."""
    umask = os.umask(0o022)
    yield
    os.umask(umask)
