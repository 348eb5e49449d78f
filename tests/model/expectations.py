"""Which answers may come: exactly one where nothing goes wrong, and never one that promises too much."""

from collections.abc import Mapping

from tests.model.cards import Fate
from tests.model.model import HOLDING, PAYABLE, UNDER_WAY, Order

ANY_CHARGE = frozenset({200, 201, 202, 402, 409, 422, 502})
ANY_FOLLOW_UP = frozenset({200, 201, 202, 402, 409, 422, 502})
# The bank's word was not heard, or the bank was not.
TROUBLED = frozenset({202, 502})
LATE_REFUNDS = frozenset({"refunds succeed later", "refunds fail later"})


def charge(order: Order, fate: Fate, codes: Mapping[Fate, int], *, is_troubled: bool) -> frozenset[int]:
    """Return the statuses with which a wish to pay may be answered."""
    if order.status in UNDER_WAY:
        return ANY_CHARGE
    if order.status not in PAYABLE:
        return frozenset({409})
    return _troubled(codes[fate], is_troubled=is_troubled and fate not in {Fate.REFUSED, Fate.REVIEW})


def approval(order: Order, codes: Mapping[Fate, int], *, is_troubled: bool) -> frozenset[int]:
    """Return how the approval of a held payment may be answered."""
    if order.status != "in_review":
        return frozenset({409})
    return _troubled(codes[order.card.absent], is_troubled=is_troubled)


def rejection(order: Order) -> frozenset[int]:
    """Return how the rejection of a held payment may be answered."""
    return frozenset({200 if order.status == "in_review" else 409})


def capture(order: Order, amount: int | None, *, is_troubled: bool) -> frozenset[int]:
    """Return how a capture may be answered; without an amount it is all that is left."""
    if order.status not in HOLDING:
        return frozenset({409})
    if order.has_doubt():
        return ANY_FOLLOW_UP
    if amount is not None and amount > order.capturable:
        return frozenset({422})
    return _troubled(200, is_troubled=is_troubled)


def cancellation(order: Order, *, is_troubled: bool) -> frozenset[int]:
    """Return how a cancellation may be answered."""
    if order.status in PAYABLE or order.status == "in_review":
        return frozenset({200})
    if order.status == "requires_action" or (order.status in HOLDING and order.has_doubt()):
        return ANY_FOLLOW_UP
    if order.status not in HOLDING:
        return frozenset({409})
    return _troubled(200, is_troubled=is_troubled)


def refund(order: Order, amount: int | None, *, is_troubled: bool, is_contested: bool) -> frozenset[int]:
    """Return how a refund may be answered; ``is_contested``: disputes exist of which we have not heard."""
    if order.captured == 0:
        return frozenset({409})
    wanted = order.refundable if amount is None else amount
    if order.refundable <= 0 or wanted > order.refundable:
        return frozenset({422})
    usual = 202 if order.card.name in LATE_REFUNDS else 201
    allowed = _troubled(usual, is_troubled=is_troubled)
    return allowed | {402} if is_contested else allowed


def _troubled(usual: int, *, is_troubled: bool) -> frozenset[int]:
    return frozenset({usual}) | (TROUBLED if is_troubled else frozenset())
