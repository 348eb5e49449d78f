"""What a careful merchant writes down of its own requests and of their answers: the independent model.

It knows no database, no attempt and no event. Of each order it knows what it was told was taken and given
back, and what it is in doubt about: movements that it asked for and of whose end it has not heard.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain, combinations

from tests.model.cards import GOOD, Card, Fate

PAYABLE = frozenset({"pending", "failed"})
HOLDING = frozenset({"authorized", "partially_captured"})
UNDER_WAY = frozenset({"processing", "requires_action"})
OVER = frozenset({"completed", "cancelled", "expired"})
# Where a payment may come without anybody asking for it: its bank has decided, or its time is over.
BY_ITSELF = {
    "pending": {"expired"},
    "failed": {"expired"},
    "in_review": {"expired"},
    "processing": {"pending", "failed", "requires_action", "authorized", "completed", "expired"},
    "requires_action": {"pending", "failed", "processing", "authorized", "completed", "expired"},
    "authorized": {"partially_captured", "completed", "cancelled", "expired"},
    "partially_captured": {"completed"},
}
CREATED = {
    Fate.APPROVED: 201,
    Fate.DECLINED: 402,
    Fate.REFUSED: 422,
    Fate.REVIEW: 202,
    Fate.ACTION: 202,
    Fate.LATER: 202,
}
CHANGED = {**CREATED, Fate.APPROVED: 200}


class Movement(StrEnum):
    """What a merchant asks for."""

    CHARGE = "charge"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"


@dataclass(frozen=True)
class Doubt:
    """A movement of which it is not known whether it happened."""

    what: Movement
    amount: int


@dataclass(frozen=True)
class Shown:
    """An order's payment as /v1 shows it; ``refunds`` and ``disputes`` by id: amount and status."""

    id: str
    status: str
    captured: int
    capturable: int
    refunded: int
    disputed: int
    refunds: dict[str, tuple[int, str]]
    disputes: dict[str, tuple[int, str]]
    expires_at: datetime | None = None

    def refunds_that_are(self, status: str) -> int:
        """Return the sum of its refunds in a state."""
        return sum(amount for amount, each in self.refunds.values() if each == status)

    def disputes_that_are(self, status: str) -> int:
        """Return the sum of its disputes in a state."""
        return sum(amount for amount, each in self.disputes.values() if each == status)


@dataclass
class Order:
    """One order, whose payment has the public ``id``; ``lab_id`` is its number on the lab surface."""

    order_id: str
    amount: int
    is_manual: bool
    id: str | None = None
    lab_id: int | None = None
    status: str = "pending"
    captured: int = 0
    capturable: int = 0
    refunds: dict[str, tuple[int, str]] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    card: Card = GOOD
    heard: Shown | None = None
    # A request died without an answer: whatever is shown next is news.
    is_unsure: bool = False

    @property
    def refundable(self) -> int:
        """What may still be given back, as far as the merchant has heard."""
        gone = sum(amount for amount, status in self.refunds.values() if status != "failed")
        lost = 0
        if self.heard is not None:
            lost = self.heard.disputes_that_are("opened") + self.heard.disputes_that_are("lost")
        return self.captured - gone - lost

    def status_after(self, fate: Fate) -> str:
        """Return where a wish to pay leads."""
        return {
            Fate.APPROVED: "authorized" if self.is_manual else "completed",
            Fate.DECLINED: "failed",
            Fate.REFUSED: "failed",
            Fate.REVIEW: "in_review",
            Fate.ACTION: "requires_action",
            Fate.LATER: "processing",
        }[fate]

    def came_to(self, status: str) -> None:
        """Note what an answer said of the payment."""
        self.status = status
        if status == "authorized" and not self.captured:
            self.capturable = self.amount
        elif status == "completed" and not self.is_manual:
            self.captured = self.amount
        if status in UNDER_WAY:
            self.doubt(Movement.CHARGE, self.amount)
        else:
            self.doubts = [doubt for doubt in self.doubts if doubt.what is not Movement.CHARGE]
        if status in OVER:
            self.capturable = 0

    def doubt(self, what: Movement, amount: int) -> None:
        """Note that something may have happened; of charges and releases there is one at a time."""
        if what in {Movement.CHARGE, Movement.RELEASE}:
            self.doubts = [doubt for doubt in self.doubts if doubt.what is not what]
        self.doubts.append(Doubt(what, amount))

    def in_the_dark(self, what: Movement, amount: int) -> None:
        """Note that it was asked for, and that no answer came."""
        self.is_unsure = True
        self.doubt(what, amount)

    def may_end(self, now: datetime) -> None:
        """Note that a hold is over in time: whether the bank released it may not be known at once."""
        is_due = self.heard is not None and self.heard.expires_at is not None and self.heard.expires_at <= now
        if is_due and self.status in HOLDING:
            self.doubt(Movement.RELEASE, 0)

    def has_doubt(self, *kinds: Movement) -> bool:
        """Whether anything, or anything of these kinds, is in doubt."""
        return any(not kinds or doubt.what in kinds for doubt in self.doubts)

    def captured_now(self, amount: int, *, is_final: bool) -> None:
        """Note a capture that was confirmed."""
        self.captured += amount
        self.capturable -= amount
        if is_final or self.captured == self.amount:
            self.status, self.capturable = "completed", 0
        else:
            self.status = "partially_captured"

    def hear(self, shown: Shown, *, may_expire: bool) -> str | None:
        """Compare with what is shown now, and learn from it; return what cannot be."""
        status = _stored_status(self.status, shown)
        wrong = self._judge_status(status, may_expire=may_expire) or self._judge_captures(status, shown)
        wrong = wrong or self._judge_refunds(shown)
        if wrong is None:
            self._learn(status, shown)
        return wrong

    def _judge_status(self, status: str, *, may_expire: bool) -> str | None:
        if status == self.status or self.is_unsure:
            return None
        moves_by_itself = self.has_doubt() or (may_expire and self.status not in OVER)
        if moves_by_itself and status in BY_ITSELF.get(self.status, set()):
            return None
        return f"it is {status}, and was {self.status} with {self.doubts or 'nothing'} in doubt"

    def _judge_captures(self, status: str, shown: Shown) -> str | None:
        """Captured money may grow only by what was in doubt."""
        open_ones = [doubt.amount for doubt in self.doubts if doubt.what is Movement.CAPTURE]
        if self.has_doubt(Movement.CHARGE) and not self.is_manual and status == "completed":
            open_ones.append(self.amount)
        grown = shown.captured - self.captured
        if grown not in _sums(open_ones):
            return f"{shown.captured} is captured, and was {self.captured} with {self.doubts} in doubt"
        return None

    def _learn(self, status: str, shown: Shown) -> None:
        capturing = self.amount - shown.captured - shown.capturable if status in HOLDING else 0
        self.status, self.captured, self.capturable = status, shown.captured, shown.capturable
        self.refunds, self.heard, self.is_unsure = dict(shown.refunds), shown, False
        gone = set()
        if status not in UNDER_WAY:
            gone.add(Movement.CHARGE)
        if status in OVER:
            gone.add(Movement.RELEASE)
        gone |= {Movement.CAPTURE, Movement.REFUND}
        captures = [doubt.amount for doubt in self.doubts if doubt.what is Movement.CAPTURE]
        kept = [doubt for doubt in self.doubts if doubt.what not in gone]
        kept += [Doubt(Movement.CAPTURE, amount) for amount in _parts_of(capturing, captures)]
        pending = shown.refunds_that_are("pending")
        if pending:
            kept.append(Doubt(Movement.REFUND, pending))
        self.doubts = kept

    def _judge_refunds(self, shown: Shown) -> str | None:
        for refund_id, (amount, status) in self.refunds.items():
            now = shown.refunds.get(refund_id)
            if now is None or now[0] != amount or (status != "pending" and now[1] != status):
                return f"refund {refund_id} of {amount} was {status}, and is {now}"
        if shown.refunded != shown.refunds_that_are("succeeded"):
            return f"{shown.refunded} is refunded, its refunds are {shown.refunds}"
        if shown.disputed != shown.disputes_that_are("opened"):
            return f"{shown.disputed} is disputed, its disputes are {shown.disputes}"
        return None


def _stored_status(was: str, shown: Shown) -> str:
    """Return the payment's state without what refunds and disputes make of it when it is shown."""
    if shown.status in {"partially_refunded", "refunded"}:
        return "completed"
    if shown.status in {"disputed", "charged_back"}:
        return "partially_captured" if shown.capturable else was if was in HOLDING else "completed"
    return shown.status


def _sums(amounts: Sequence[int]) -> set[int]:
    """Return what any of them, or none, add up to."""
    return {sum(chosen) for chosen in _choices(amounts)}


def _parts_of(total: int, amounts: Sequence[int]) -> Sequence[int]:
    """Return those of the amounts that add up to ``total``, or else the total as one."""
    return next((chosen for chosen in _choices(amounts) if sum(chosen) == total), (total,))


def _choices(amounts: Sequence[int]) -> Iterator[Sequence[int]]:
    return chain.from_iterable(combinations(amounts, size) for size in range(len(amounts) + 1))
