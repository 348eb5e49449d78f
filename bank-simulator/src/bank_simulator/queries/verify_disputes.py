"""Recomputing disputes from the ledger, and naming what differs."""

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bank_simulator.domain.postings import dispute_postings
from bank_simulator.models import Account, Dispute, Entry, NetworkRequest
from bank_simulator.queries.book_entries import Entries, on_accounts, readable
from bank_simulator.values.vocabulary import DisputeStatus


def dispute_differences(session: Session) -> Iterator[str]:
    """The entries of each dispute fit its status; a payment's disputed sum is that of its disputes."""
    found = _entries_by_dispute(session)
    disputed: dict[int, int] = defaultdict(int)
    query = select(Dispute, NetworkRequest).join(NetworkRequest, NetworkRequest.id == Dispute.original_row_id)
    for dispute, original in session.execute(query):
        entries, expected = found.pop(dispute.id, {}), _expected(dispute, original)
        if entries != expected:
            what = f"{readable(entries)}, not {readable(expected)}"
            yield f"dispute {dispute.dispute_id}: entries are {what}"
        if dispute.status is not DisputeStatus.WON:
            disputed[original.id] += dispute.amount_minor
    for row_id, entries in found.items():
        yield f"dispute row {row_id}: it is missing, its entries are {readable(entries)}"
    yield from _sum_differences(session, disputed)


def _entries_by_dispute(session: Session) -> dict[int, Entries]:
    """Return what each dispute moved in the end; an account that got its money back is left out."""
    query = (
        select(
            Entry.dispute_row_id,
            Account.kind,
            Account.owner,
            Account.currency,
            func.sum(Entry.amount_minor),
        )
        .join(Account, Account.id == Entry.account_id)
        .where(Entry.dispute_row_id.is_not(None))
        .group_by(Entry.dispute_row_id, Account.kind, Account.owner, Account.currency)
    )
    found: dict[int, Entries] = defaultdict(dict)
    for row_id, kind, owner, currency, total in session.execute(query):
        if total:
            found[row_id or 0][(kind, owner, currency)] = int(total)
    return found


def _expected(dispute: Dispute, original: NetworkRequest) -> Entries:
    moved: Entries = defaultdict(int)
    for status in {DisputeStatus.OPEN, dispute.status}:
        for account, minor in on_accounts(dispute_postings(status, dispute.amount_minor), original).items():
            moved[account] += minor
    return {account: minor for account, minor in moved.items() if minor}


def _sum_differences(session: Session, disputed: dict[int, int]) -> Iterator[str]:
    query = select(NetworkRequest.id, NetworkRequest.request_id, NetworkRequest.disputed_minor)
    claimed = query.where(NetworkRequest.disputed_minor != 0)
    named = {row_id: (request_id, minor) for row_id, request_id, minor in session.execute(claimed)}
    for row_id in named.keys() | disputed.keys():
        request_id, minor = named.get(row_id, (f"row {row_id}", 0))
        if minor != disputed.get(row_id, 0):
            yield f"request {request_id}: {minor} is disputed, its disputes say {disputed.get(row_id, 0)}"
