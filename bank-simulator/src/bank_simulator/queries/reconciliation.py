"""What a merchant's side compares its own books with."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import aliased

from bank_simulator.extensions import db
from bank_simulator.models import Account, Entry, NetworkRequest
from bank_simulator.values.vocabulary import AccountKind, RequestKind


@dataclass(frozen=True, slots=True)
class Totals:
    """What moved on one merchant's account, in minor units; ``count`` is the number of sales and captures."""

    merchant_id: str
    currency: str
    sales_minor: int
    refunds_minor: int
    voids_minor: int
    net_minor: int
    count: int


def merchant_totals() -> list[Totals]:
    """Add up the entries of every merchant account."""
    incoming = NetworkRequest.kind.in_([RequestKind.SALE, RequestKind.CAPTURE])

    def total(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, Entry.amount_minor), else_=0))

    query = (
        select(
            Account.owner,
            Account.currency,
            total(incoming),
            total(NetworkRequest.kind == RequestKind.REFUND),
            total(NetworkRequest.kind == RequestKind.VOID),
            func.sum(Entry.amount_minor),
            func.sum(case((incoming, 1), else_=0)),
        )
        .select_from(Account)
        .join(Entry, Entry.account_id == Account.id)
        .join(NetworkRequest, NetworkRequest.id == Entry.request_row_id)
        .where(Account.kind == AccountKind.MERCHANT)
        .group_by(Account.id, Account.owner, Account.currency)
        .order_by(Account.owner, Account.currency)
    )
    with db.reading() as session:
        return [
            Totals(
                merchant_id=owner,
                currency=currency,
                sales_minor=int(sales),
                refunds_minor=-int(refunds),
                voids_minor=-int(voids),
                net_minor=int(net),
                count=int(count),
            )
            for owner, currency, sales, refunds, voids, net, count in session.execute(query)
        ]


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Some requests of one merchant, oldest first."""

    requests: list[dict[str, object]]
    next_after: int | None


def list_requests(merchant_id: str, after: int, limit: int) -> RequestPage:
    """Return up to ``limit`` requests of the merchant that came after the page that ended with ``after``."""
    original = aliased(NetworkRequest)
    query = (
        select(NetworkRequest, original.request_id)
        .outerjoin(original, original.id == NetworkRequest.original_row_id)
        .where(NetworkRequest.merchant_id == merchant_id, NetworkRequest.id > after)
        .order_by(NetworkRequest.id)
        .limit(limit + 1)
    )
    with db.reading() as session:
        rows = session.execute(query).all()
    page = rows[:limit]
    listed = [_listed(request, original_request_id) for request, original_request_id in page]
    return RequestPage(listed, page[-1][0].id if len(rows) > limit else None)


def _listed(request: NetworkRequest, original_request_id: str | None) -> dict[str, object]:
    return {
        "request_id": request.request_id,
        "kind": request.kind,
        "status": request.status,
        "decline_code": request.decline_code,
        "authorization_code": request.authorization_code,
        "amount_minor": request.amount_minor,
        "currency": request.currency,
        "processed_at": request.processed_at,
        "open_acs_token": request.open_acs_token,
        "three_ds": request.three_ds,
        "order_id": request.order_id,
        "original_request_id": original_request_id,
    }
