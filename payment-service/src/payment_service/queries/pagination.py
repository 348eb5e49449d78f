"""Pages of a list, newest first: found by the key of the row next to them, so that each costs the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from typing import Any, Generic, TypeVar

from service_kit.clock import utc_now
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from payment_service.errors import CursorUnknown, PaymentError

Row = TypeVar("Row")
# Longer than two transactions take one after the other: a row may be inserted at the end of the first, and
# whoever has a smaller key in the second may still commit behind it.
SETTLED_AFTER = timedelta(seconds=60)
# What each filter of a list demands of a row.
Conditions = Mapping[str, Callable[[Any], ColumnElement[bool]]]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted: the newest, or up to ``limit`` rows right after or before the row of a public id.

    At most one of the two cursors is given; ``starting_after`` goes to older rows.
    """

    limit: int = 10
    starting_after: str | None = None
    ending_before: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, newest first; ``has_more``: there are others in the direction of the cursor."""

    rows: Sequence[Row]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """How the rows of a table are listed.

    ``order`` is one unique column, or one and a unique tie-breaker, such as created_at and id: an index must
    begin with what the list is limited to, and end with them. ``cursor`` is the column of public ids.
    ``owned`` limits rows and cursors alike to what the caller may see. ``written_at`` is the column that says
    when a row was written, where one may appear behind a younger one: who goes forwards is then shown rows
    that are older than ``SETTLED_AFTER`` only, so that none is passed over.
    """

    order: tuple[InstrumentedAttribute[Any], ...]
    cursor: InstrumentedAttribute[str]
    owned: ColumnElement[bool]
    written_at: str | None = None


def limited(statement: Select[Row], filters: Mapping[str, Any], conditions: Conditions) -> Select[Row]:
    """Return ``statement`` with the conditions of those filters that are not None."""
    given = {name: value for name, value in filters.items() if value is not None}
    return statement.where(*(conditions[name](value) for name, value in given.items()))


def read_one(
    session: Session, statement: Select[Row], listing: Listing, public_id: str, missing: PaymentError
) -> Row:
    """Return the row of a public id.

    Raises:
        PaymentError: ``missing``, where the caller owns none of this id.
    """
    row = session.scalar(statement.where(listing.cursor == public_id, listing.owned))
    if row is None:
        raise missing
    return row


def read_page(session: Session, statement: Select[Row], listing: Listing, page: PageRequest) -> Page[Row]:
    """Return a page of ``statement``, which selects one model and may filter, but neither sorts nor limits.

    Raises:
        CursorUnknown: the caller owns no row with the id of the cursor.
    """
    backwards = page.ending_before is not None
    statement = statement.where(listing.owned)
    for field, cursor in _given_cursors(page).items():
        statement = statement.where(_beyond(listing, _place(session, listing, field, cursor), backwards))
    direction = [column.asc() if backwards else column.desc() for column in listing.order]
    # One row more than wanted says whether there are others.
    rows = list(session.scalars(statement.order_by(*direction).limit(page.limit + 1)))
    wanted = rows[: page.limit]
    has_more = len(rows) > page.limit
    if not backwards:
        return Page(wanted, has_more)
    settled = list(_settled(wanted, listing))
    return Page(settled[::-1], has_more and len(settled) == len(wanted))


def _settled(rows: Sequence[Row], listing: Listing) -> Iterable[Row]:
    """Return the rows before the first that is too young."""
    if listing.written_at is None:
        return rows
    name, until = listing.written_at, utc_now() - SETTLED_AFTER
    return takewhile(lambda row: getattr(row, name) < until, rows)


def _given_cursors(page: PageRequest) -> Mapping[str, str]:
    cursors = {"starting_after": page.starting_after, "ending_before": page.ending_before}
    return {field: cursor for field, cursor in cursors.items() if cursor is not None}


def _place(session: Session, listing: Listing, field: str, cursor: str) -> Sequence[Any]:
    """Return the values of the order's columns in the cursor's row, whether a filter hides it or not."""
    found = session.execute(select(*listing.order).where(listing.cursor == cursor, listing.owned)).first()
    if found is None:
        raise CursorUnknown(field)
    return tuple(found)


def _beyond(listing: Listing, place: Sequence[Any], backwards: bool) -> ColumnElement[bool]:
    """Return the condition of all rows after ``place``, or before it.

    ``a <= x AND (a < x OR b < y)`` and not ``(a, b) < (x, y)``: MySQL finds the start of a range in the
    index by the first column's own comparison only.
    """
    first, *others = zip(listing.order, place, strict=True)
    column, value = first
    beyond: ColumnElement[bool] = column > value if backwards else column < value
    if not others:
        return beyond
    ((tie_breaker, last_value),) = others
    if backwards:
        return and_(column >= value, or_(beyond, tie_breaker > last_value))
    return and_(column <= value, or_(beyond, tie_breaker < last_value))
