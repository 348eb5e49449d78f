"""What a merchant's side compares its own books with."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import aliased

from bank_simulator.extensions import db
from bank_simulator.models import Account, Dispute, Entry, NetworkRequest
from bank_simulator.values.vocabulary import AccountKind, DisputeStatus, RequestKind


@dataclass(frozen=True, slots=True)
class Totals:
    """What moved on one merchant's account, in minor units; ``count`` is the number of sales and captures.

    ``disputes_minor`` is withheld in open disputes, ``chargebacks_minor`` is lost; ``net_minor`` is what the
    merchant has: sales and captures less all the others.
    """

    merchant_id: str
    currency: str
    sales_minor: int
    captures_minor: int
    refunds_minor: int
    voids_minor: int
    disputes_minor: int
    chargebacks_minor: int
    net_minor: int
    count: int


def merchant_totals() -> list[Totals]:
    kind, amount_minor = NetworkRequest.kind, Entry.amount_minor.expression
    query = (
        select(
            Account.owner,
            Account.currency,
            _sum(kind == RequestKind.SALE, amount_minor),
            _sum(kind == RequestKind.CAPTURE, amount_minor),
            _sum(kind == RequestKind.REFUND, -amount_minor),
            _sum(kind == RequestKind.VOID, -amount_minor),
            _sum(Dispute.status == DisputeStatus.OPEN, -amount_minor),
            _sum(Dispute.status == DisputeStatus.LOST, -amount_minor),
            func.sum(amount_minor),
            _sum(kind.in_([RequestKind.SALE, RequestKind.CAPTURE]), literal(1)),
        )
        .select_from(Account)
        .join(Entry, Entry.account_id == Account.id)
        .outerjoin(NetworkRequest, NetworkRequest.id == Entry.request_row_id)
        .outerjoin(Dispute, Dispute.id == Entry.dispute_row_id)
        .where(Account.kind == AccountKind.MERCHANT)
        .group_by(Account.id, Account.owner, Account.currency)
        .order_by(Account.owner, Account.currency)
    )
    with db.reading() as session:
        return [
            Totals(owner, currency, *(int(sum_) for sum_ in sums))
            for owner, currency, *sums in session.execute(query)
        ]


def _sum(condition: ColumnElement[bool], value: ColumnElement[int]) -> ColumnElement[int]:
    return func.sum(case((condition, value), else_=0))


@dataclass(frozen=True, slots=True)
class RequestPage:
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
