"""The token bucket against KrakenD's own arithmetic, with a clock that only moves when told."""

from dataclasses import dataclass

import pytest
from gateway.emulator.rate_limit import TokenBucket
from hypothesis import given
from hypothesis import strategies as st


@dataclass
class Clock:
    now_ns: int = 1_000

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def burst(bucket: TokenBucket, requests: int = 1_000) -> int:
    """How many of so many requests at once pass."""
    return sum(bucket.admit() for _ in range(requests))


@pytest.mark.parametrize("per_minute", [10, 200])
def test_a_new_bucket_admits_its_capacity_at_once(per_minute: int) -> None:
    bucket = TokenBucket(per_minute, 60, per_minute, Clock())

    assert burst(bucket) == per_minute


def test_an_empty_bucket_admits_one_request_per_token_earned() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 60, 10, clock)
    burst(bucket)

    admitted = []
    for _ in range(4):
        clock.advance(3)
        admitted.append(bucket.admit())

    assert admitted == [False, True, False, True]


def test_tokens_earned_since_the_mark_are_handed_out_together() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 60, 10, clock)
    burst(bucket)

    clock.advance(18)

    assert burst(bucket) == 3


def test_time_beyond_a_whole_token_is_kept() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 60, 10, clock)
    burst(bucket)

    clock.advance(11)
    first = burst(bucket)
    clock.advance(1)

    assert (first, burst(bucket)) == (1, 1)


def test_nothing_is_earned_while_a_token_is_left() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 60, 10, clock)
    for _ in range(9):
        bucket.admit()
    clock.advance(30)

    last_token = bucket.admit()
    earned = burst(bucket)

    assert (last_token, earned) == (True, 5)


def test_after_idling_twice_the_capacity_and_one_pass() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 60, 10, clock)

    clock.advance(3_600)

    # The full bucket, the free request that finds it empty, and the bucket filled again; time beyond is lost.
    assert burst(bucket) == 21
    clock.advance(5.9)
    assert not bucket.admit()
    clock.advance(0.1)
    assert bucket.admit()


def test_exactly_the_capacity_earned_is_no_free_request() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 60, 10, clock)
    burst(bucket)

    clock.advance(60)

    assert burst(bucket) == 10


@given(
    capacity=st.integers(1, 50),
    per_minute=st.integers(1, 500),
    steps=st.lists(st.tuples(st.floats(0, 100), st.integers(0, 60)), max_size=30),
)
def test_never_more_than_the_rate_and_two_bursts_pass(
    capacity: int, per_minute: int, steps: list[tuple[float, int]]
) -> None:
    clock = Clock()
    bucket = TokenBucket(per_minute, 60, capacity, clock)
    start_ns = clock.now_ns

    admitted = 0
    for pause_s, requests in steps:
        clock.advance(pause_s)
        admitted += burst(bucket, requests)

    earned = (clock.now_ns - start_ns) * per_minute // (60 * 10**9) + 1
    assert admitted <= earned + capacity + 1
