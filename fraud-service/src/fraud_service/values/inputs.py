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
class CardsLimit:
    """At most so many different ``cards`` that did not pay in the window, the one assessed now included."""

    cards: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits; ``amount_minor`` maps currencies and ``ANY_OTHER_CURRENCY`` to minor units."""

    amount_minor: Mapping[str, int]
    velocity_card: VelocityLimit
    velocity_user: VelocityLimit
    velocity_ip: VelocityLimit
    cards_ip: CardsLimit
    cards_bin: CardsLimit
    wrong_cvv: VelocityLimit


@dataclass(frozen=True, slots=True)
class Counters:
    """What is in each window, this attempt and its card included, counted up to one more than the limit.

    ``card``, ``user`` and ``ip`` are attempts at this merchant, ``ip_cards`` and ``bin_cards`` different
    cards that did not pay there, ``ip_cards_paid`` and ``bin_cards_paid`` those that did, up to the limit.
    ``wrong_cvvs`` are those before this attempt, at all merchants, and ``wrong_cvvs_here`` whether one of
    them was at this one. What is about the address is None where that is not to be trusted.
    """

    card: int
    user: int
    ip: int | None
    ip_cards: int | None
    ip_cards_paid: int | None
    bin_cards: int
    bin_cards_paid: int
    wrong_cvvs: int
    wrong_cvvs_here: int


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
