"""Which accounts a request moves money between; the books are written and verified by it."""

from dataclasses import dataclass

from bank_simulator.values.vocabulary import AccountKind, DisputeStatus, RequestKind

Postings = dict[AccountKind, int]


@dataclass(frozen=True, slots=True)
class Movement:
    """An approved amount in minor units; ``released_minor`` goes from the hold back to the cardholder."""

    amount_minor: int
    released_minor: int = 0


def postings(kind: RequestKind, movement: Movement) -> Postings:
    """Return what each account gets (positive) or gives (negative); the sum is always zero.

    A void takes what it released out of the hold, and the rest (of a sale) from the merchant.
    """
    amount, released = movement.amount_minor, movement.released_minor
    cardholder, hold, merchant = {
        RequestKind.SALE: (-amount, 0, amount),
        RequestKind.AUTHORIZATION: (-amount, amount, 0),
        RequestKind.CAPTURE: (released, -amount - released, amount),
        RequestKind.VOID: (amount, -released, released - amount),
        RequestKind.REFUND: (amount, 0, -amount),
    }[kind]
    every = {
        AccountKind.CARDHOLDER: cardholder,
        AccountKind.HOLD: hold,
        AccountKind.MERCHANT: merchant,
    }
    return {account: minor for account, minor in every.items() if minor}


def dispute_postings(status: DisputeStatus, amount_minor: int) -> Postings:
    """Return what each account gets or gives when a dispute comes into ``status``; the sum is zero.

    An open dispute's money is withheld from the merchant; it goes back to them or on to the cardholder.
    """
    gives, gets = {
        DisputeStatus.OPEN: (AccountKind.MERCHANT, AccountKind.DISPUTE),
        DisputeStatus.WON: (AccountKind.DISPUTE, AccountKind.MERCHANT),
        DisputeStatus.LOST: (AccountKind.DISPUTE, AccountKind.CARDHOLDER),
    }[status]
    return {gives: -amount_minor, gets: amount_minor}
