"""Recomputing everything from the ledger, and naming what differs."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from bank_simulator.domain.postings import Movement, Postings, postings
from bank_simulator.extensions import db
from bank_simulator.models import Account, Card, Entry, NetworkRequest
from bank_simulator.queries.book_entries import Entries, on_accounts, readable
from bank_simulator.queries.verify_disputes import dispute_differences
from bank_simulator.values.vocabulary import AccountKind, Holding, RequestKind, Status

_BATCH = 1000
_NEVER_NEGATIVE = {AccountKind.HOLD, AccountKind.DISPUTE}
_IS_OPENING = and_(Entry.request_row_id.is_(None), Entry.dispute_row_id.is_(None))


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and every difference in words; none means that the books add up."""

    requests: int
    entries: int
    differences: list[str]


def verify_books() -> Report:
    """Compare requests with their entries, originals with their follow-ups, balances with their sums."""
    with db.reading() as session:
        differences = [
            *_sum_differences(session),
            *_request_differences(session),
            *_original_differences(session),
            *dispute_differences(session),
            *_account_differences(session),
        ]
        requests = session.scalar(select(func.count()).select_from(NetworkRequest)) or 0
        entries = session.scalar(select(func.count()).select_from(Entry)) or 0
    return Report(requests, entries, differences)


def _sum_differences(session: Session) -> Iterator[str]:
    """The money of the whole world, per currency, is zero; opening deposits by themselves too."""
    query = (
        select(
            Account.currency,
            func.sum(case((_IS_OPENING, Entry.amount_minor), else_=0)),
            func.sum(case((_IS_OPENING, 0), else_=Entry.amount_minor)),
        )
        .join(Account, Account.id == Entry.account_id)
        .group_by(Account.currency)
        .order_by(Account.currency)
    )
    for currency, deposits, others in session.execute(query):
        for what, total in (("opening deposits", deposits), ("all requests and disputes together", others)):
            if total != 0:
                yield f"{currency}: {what} add up to {total}, not to 0"


def _request_differences(session: Session) -> Iterator[str]:
    """The entries of each request are exactly those that its row stands for, on the right accounts."""
    last_id = 0
    while batch := session.scalars(
        select(NetworkRequest).where(NetworkRequest.id > last_id).order_by(NetworkRequest.id).limit(_BATCH)
    ).all():
        first_id, last_id = batch[0].id, batch[-1].id
        entries = _entries_by_request(session, first_id, last_id)
        for request in batch:
            found, expected = entries.get(request.id, {}), _expected_entries(request)
            if found != expected:
                what = f"{readable(found)}, not {readable(expected)}"
                yield f"request {request.request_id}: entries are {what}"
        session.expunge_all()


def _entries_by_request(session: Session, first_id: int, last_id: int) -> dict[int, Entries]:
    query = (
        select(Entry.request_row_id, Account.kind, Account.owner, Account.currency, Entry.amount_minor)
        .join(Account, Account.id == Entry.account_id)
        .where(Entry.request_row_id.between(first_id, last_id))
    )
    found: dict[int, Entries] = defaultdict(lambda: defaultdict(int))
    for row_id, kind, owner, currency, amount_minor in session.execute(query):
        # The range leaves opening deposits, which have no request, out.
        found[row_id or 0][(kind, owner, currency)] += amount_minor
    return found


def _expected_entries(request: NetworkRequest) -> Entries:
    if request.status is not Status.APPROVED or request.kind is None or request.amount_minor is None:
        return {}
    moved: Postings = postings(request.kind, Movement(request.amount_minor, request.released_minor))
    return on_accounts(moved, request)


def _original_differences(session: Session) -> Iterator[str]:
    """What a sale or authorisation says about itself is what its approved follow-ups did."""
    done = _follow_ups(session)
    query = select(NetworkRequest).where(NetworkRequest.holding.is_not(None)).order_by(NetworkRequest.id)
    for request in session.scalars(query.execution_options(yield_per=_BATCH)):
        expected = _expected_state(request, done.get(request.id, {}))
        found = (request.holding, request.held_minor, request.captured_minor, request.refunded_minor)
        if found != expected:
            yield (
                f"request {request.request_id}: (holding, held, captured, refunded) is "
                f"{_state(found)}, not {_state(expected)}"
            )
        if request.refunded_minor > request.captured_minor or request.disputable_minor < 0:
            yield f"request {request.request_id}: more is refunded, or disputed, than was captured"


FollowUps = dict[RequestKind, tuple[int, int]]


def _follow_ups(session: Session) -> dict[int, FollowUps]:
    """Return, by original and kind, what its approved and pending follow-ups moved and released."""
    query = (
        select(
            NetworkRequest.original_row_id,
            NetworkRequest.kind,
            func.sum(NetworkRequest.amount_minor),
            func.sum(NetworkRequest.released_minor),
        )
        .where(
            # A pending refund counts against what may be refunded, though it has moved nothing yet.
            NetworkRequest.status.in_([Status.APPROVED, Status.PENDING]),
            NetworkRequest.original_row_id.is_not(None),
        )
        .group_by(NetworkRequest.original_row_id, NetworkRequest.kind)
    )
    done: dict[int, FollowUps] = defaultdict(dict)
    for original, kind, amount, released in session.execute(query):
        if original is not None and kind is not None:
            done[original][kind] = (int(amount or 0), int(released))
    return done


State = tuple[Holding | None, int, int, int]


def _expected_state(request: NetworkRequest, done: FollowUps) -> State:
    amount = request.amount_minor or 0
    captured, released = done.get(RequestKind.CAPTURE, (0, 0))
    refunded, _ = done.get(RequestKind.REFUND, (0, 0))
    _, void_released = done.get(RequestKind.VOID, (0, 0))
    is_voided = RequestKind.VOID in done
    if request.kind is RequestKind.SALE:
        return Holding.VOIDED if is_voided else Holding.CAPTURED, 0, amount, refunded
    held = amount - captured - released - void_released
    if held:
        return Holding.HELD, held, captured, refunded
    return Holding.CAPTURED if captured else Holding.VOIDED, 0, captured, refunded


def _state(state: State) -> str:
    holding, *amounts = state
    return f"({holding.value if holding else None}, {', '.join(map(str, amounts))})"


def _account_differences(session: Session) -> Iterator[str]:
    """Kept balances are the sums of their entries, limits and holds were respected, deposits are right."""
    sums = (
        select(
            Entry.account_id,
            func.sum(Entry.amount_minor).label("total"),
            func.sum(case((_IS_OPENING, Entry.amount_minor), else_=0)).label("deposited"),
        )
        .group_by(Entry.account_id)
        .subquery()
    )
    query = select(Account, sums.c.total, sums.c.deposited).outerjoin(sums, sums.c.account_id == Account.id)
    deposits = {str(card.id): card.opening_minor for card in session.scalars(select(Card))}
    for account, total, opened_with in session.execute(query):
        name = f"{account.kind.value} account {account.owner} {account.currency}"
        balance = int(total or 0)
        if account.kind is AccountKind.CARDHOLDER:
            yield from _cardholder_differences(
                account, name, deposits.get(account.owner), int(opened_with or 0)
            )
        if account.balance_minor is not None and account.balance_minor != balance:
            yield f"{name}: balance is {account.balance_minor}, its entries add up to {balance}"
        is_limited = account.kind in _NEVER_NEGATIVE or account.balance_minor is not None
        if is_limited and balance < 0:
            yield f"{name}: overdrawn to {balance}"


def _cardholder_differences(
    account: Account, name: str, deposit: int | None, opened_with: int
) -> Iterator[str]:
    if (account.balance_minor is None) != (deposit is None):
        yield f"{name}: the card's limit and the account's do not agree"
    if opened_with != (deposit or 0):
        yield f"{name}: opened with {opened_with}, not with {deposit or 0}"
