"""What the books say and should say of one movement: accounts and amounts, comparable and readable."""

from bank_simulator.domain.postings import Postings
from bank_simulator.models import NetworkRequest
from bank_simulator.values.vocabulary import AccountKind

AccountName = tuple[AccountKind, str, str]
Entries = dict[AccountName, int]


def on_accounts(moved: Postings, request: NetworkRequest) -> Entries:
    """Return ``moved`` on the accounts of the request's card and merchant."""
    card, merchant = str(request.card_id), str(request.merchant_id)
    owners = {
        AccountKind.CARDHOLDER: card,
        AccountKind.HOLD: card,
        AccountKind.MERCHANT: merchant,
        AccountKind.DISPUTE: merchant,
    }
    return {(kind, owners[kind], str(request.currency)): minor for kind, minor in moved.items()}


def readable(entries: Entries) -> str:
    parts = [
        f"{kind.value} {owner} {minor:+d} {currency}"
        for (kind, owner, currency), minor in sorted(entries.items())
    ]
    return f"({', '.join(parts)})" if parts else "none"
