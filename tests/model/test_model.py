"""A hundred random sequences of every operation, against the real bank-simulator and an independent model.

The first thirty of them belong to `make test`.
"""

from pathlib import Path

import pytest

from tests.model.playing import SEED, play
from tests.model.system_under_test import open_system


@pytest.mark.timeout(900)
@pytest.mark.engines("sqlite")
def test_random_sequences_keep_the_books_true(database_url: str, tmp_path: Path) -> None:
    with open_system(database_url, tmp_path) as system:
        play(system, SEED, sequences=30)


@pytest.mark.deep
@pytest.mark.timeout(3000)
def test_all_sequences_keep_the_books_true_on_every_engine(database_url: str, tmp_path: Path) -> None:
    # The seed is fixed, so that a red run is the change's own doing; `make soak` looks for new sequences.
    with open_system(database_url, tmp_path) as system:
        play(system, SEED)
