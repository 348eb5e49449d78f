"""Which ids are still missed between those that were seen."""

import pytest
from payment_service.domain.positions import missing


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ([], [(3, 9, 1.0)]),
        ([3, 4, 5, 6, 7, 8, 9], []),
        ([3], [(4, 9, 1.0)]),
        ([9], [(3, 8, 1.0)]),
        ([5, 6], [(3, 4, 1.0), (7, 9, 1.0)]),
        ([2, 5, 10], [(3, 4, 1.0), (6, 9, 1.0)]),
    ],
)
def test_what_was_found_is_missed_no_more(found: list[int], left: list[tuple[int, int, float]]) -> None:
    assert list(missing([(3, 9, 1.0)], found)) == left


def test_each_range_keeps_its_moment_and_an_empty_one_goes() -> None:
    assert list(missing([(1, 2, 1.0), (5, 4, 3.0), (7, 8, 2.0)], [2, 7])) == [(1, 1, 1.0), (8, 8, 2.0)]
