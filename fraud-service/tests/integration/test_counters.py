"""The counts of the database equal those of a plain list, for any stream of attempts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from flask.testing import FlaskClient
from fraud_service.config import Config
from fraud_service.values.inputs import VelocityLimit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CARD, USER, IP = VelocityLimit(3, 4), VelocityLimit(4, 6), VelocityLimit(5, 8)
_streams = count(1)


@dataclass(frozen=True)
class Step:
    seconds_later: int
    card: int
    user: int
    address: int | None


steps = st.builds(
    Step,
    seconds_later=st.integers(0, 3),
    card=st.integers(1, 2),
    user=st.integers(1, 2),
    address=st.one_of(st.none(), st.integers(1, 2)),
)


@pytest.fixture
def config(config: Config) -> Config:
    thresholds = replace(config.thresholds, velocity_card=CARD, velocity_user=USER, velocity_ip=IP)
    return replace(config, thresholds=thresholds)


@dataclass
class PlainCounter:
    """Counts as the README says, with a list instead of SQL."""

    limit: VelocityLimit
    passed: list[tuple[int, int]]

    def with_this(self, who: int, now: int) -> int:
        since = now - self.limit.window_s
        before = sum(1 for other, at in self.passed if other == who and since < at <= now)
        return min(before, self.limit.attempts) + 1


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(stream=st.lists(steps, max_size=25))
def test_any_stream_is_counted_as_a_plain_list_counts_it(
    client: FlaskClient, make_body: Callable[..., dict[str, Any]], clock: Any, stream: list[Step]
) -> None:
    number = next(_streams)
    cards, users, addresses = PlainCounter(CARD, []), PlainCounter(USER, []), PlainCounter(IP, [])
    now = 0
    for step in stream:
        now += step.seconds_later
        clock.move(seconds=step.seconds_later)
        body = make_body(
            fingerprint=f"{number:032x}{step.card:032x}",
            user_id=f"{number}-{step.user}",
            client_ip=None if step.address is None else f"10.{number // 256}.{number % 256}.{step.address}",
        )

        client.post("/internal/assessments", json=body)

        told = client.get(f"/internal/assessments/{body['attempt_id']}").json
        assert told is not None
        expected: dict[str, Any] = {
            "card": cards.with_this(step.card, now),
            "user": users.with_this(step.user, now),
            "ip": None if step.address is None else addresses.with_this(step.address, now),
        }
        assert {name: told["counters"][name] for name in expected} == expected
        is_over = (
            expected["card"] > CARD.attempts
            or expected["user"] > USER.attempts
            or (expected["ip"] or 0) > IP.attempts
        )
        assert told["decision"] == ("decline" if is_over else "approve")
        if not is_over:
            cards.passed.append((step.card, now))
            users.passed.append((step.user, now))
            if step.address is not None:
                addresses.passed.append((step.address, now))
