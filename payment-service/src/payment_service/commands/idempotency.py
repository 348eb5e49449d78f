"""The first transaction of a request with an idempotency key."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from payment_service.errors import KeyArrivedTwice
from payment_service.extensions import db

T = TypeVar("T")


def run_once(work: Callable[[Session], T]) -> T:
    """Run ``work``, which calls ``begin``, in a transaction; see ``Database.in_transaction``.

    Of two requests that insert one key at the same moment, the second runs its work again, and then finds
    what the first one stored.
    """
    try:
        return db.in_transaction(work)
    except KeyArrivedTwice:
        return db.in_transaction(work)
