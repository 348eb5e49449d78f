"""Lists in the order of positions: whoever follows one forwards sees every row once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from payment_service.domain.positions import Log
from payment_service.queries.pagination import Listing, Page, PageRequest, read_page

# A row becomes visible, and gets its position, at most so long after the time that it bears.
_LATEST = timedelta(minutes=30)


def read_log_page(
    session: Session,
    log: Log,
    merchant_id: int,
    page: PageRequest,
    *,
    created_from: datetime | None = None,
    created_to: datetime | None = None,
    **repeated: Any,
) -> Page[Any]:
    """Return a page of the merchant's rows that have a position, the newest first.

    ``repeated`` are columns that the positions repeat, and what they must be; None does not limit.

    Raises:
        CursorUnknown: the merchant has no such row with the id of the cursor.
    """
    rows, places = log.rows, log.positions
    given = {name: value for name, value in repeated.items() if value is not None}
    conditions = [getattr(places, name) == value for name, value in given.items()]
    if created_from is not None:
        conditions += [log.time >= created_from, *_after(session, log, merchant_id, created_from - _LATEST)]
    if created_to is not None:
        conditions += [log.time < created_to, *_before(session, log, merchant_id, created_to + _LATEST)]
    owned = and_(places.merchant_id == merchant_id, places.row_id == rows.id)
    listing = Listing((places.position,), rows.public_id, owned)
    # Left to itself, MySQL looks for a merchant's few rows among all, because those are in order already.
    index = "_".join(["ix", places.__tablename__, "merchant_id", *list(given)[:1], "position"])
    statement = select(rows).where(*conditions).with_hint(places, f"FORCE INDEX ({index})", "mysql")
    return read_page(session, statement, listing, page)


def _after(session: Session, log: Log, merchant_id: int, moment: datetime) -> Iterator[ColumnElement[bool]]:
    """Yield a bound below the positions of what bears a later time, so that what is older is not read."""
    older = _places(log, merchant_id).where(log.time < moment).order_by(log.time.desc(), log.rows.id.desc())
    position = session.scalar(older.limit(1))
    if position is not None:
        yield log.positions.position > position


def _before(session: Session, log: Log, merchant_id: int, moment: datetime) -> Iterator[ColumnElement[bool]]:
    newer = _places(log, merchant_id).where(log.time >= moment).order_by(log.time, log.rows.id)
    position = session.scalar(newer.limit(1))
    if position is not None:
        yield log.positions.position < position


def _places(log: Log, merchant_id: int) -> Any:
    rows, places = log.rows, log.positions
    joined = select(places.position).join(rows, rows.id == places.row_id)
    return joined.where(rows.merchant_id == merchant_id)
