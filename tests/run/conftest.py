import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.run.watched import CHECKOUT, Watched
from tests.system.whole import PATIENT

Start = Callable[..., Watched]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a Python program of the checkout, with settings added to its environment; ends with the test."""
    started: list[Watched] = []

    def start_it(*words: str, **environment: str) -> Watched:
        output = tmp_path / f"output-{len(started)}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                (sys.executable, *words),
                cwd=CHECKOUT,
                env={**os.environ, **PATIENT, "PYTHONPATH": str(CHECKOUT), **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(Watched(process, output))
        return started[-1]

    yield start_it
    for watched in started:
        watched.clear_away()
