"""Everything that the rules look at, gathered before they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fraud_service.values.attempt import Attempt
from fraud_service.values.vocabulary import ListKind, Subject

ANY_OTHER_CURRENCY = "*"


@dataclass(frozen=True, slots=True)
class VelocityLimit:
    """At most ``attempts`` in the window (t - ``window_s``, t]; the one that is assessed at t counts too."""

    attempts: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits; ``amount_minor`` maps currencies and ``ANY_OTHER_CURRENCY`` to minor units."""

    amount_minor: Mapping[str, int]
    velocity_card: VelocityLimit
    velocity_user: VelocityLimit
    velocity_ip: VelocityLimit


@dataclass(frozen=True, slots=True)
class Counters:
    """Attempts in each window, this one included, counted up to one more than the limit.

    ``ip`` is None where the client's address is not to be trusted.
    """

    card: int
    user: int
    ip: int | None


@dataclass(frozen=True, slots=True)
class ListedValue:
    kind: ListKind
    subject: Subject
    value: str
    reason: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that the rules see: equal inputs give equal evaluations."""

    attempt: Attempt
    counters: Counters
    thresholds: Thresholds
    listed: tuple[ListedValue, ...]
