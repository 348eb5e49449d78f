"""Scopes: what an access token lets its bearer do (RFC 6749, 3.3)."""

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    """One permission; every route of /v1 requires one."""

    PAYMENTS_READ = "payments:read"
    PAYMENTS_WRITE = "payments:write"
    REFUNDS_WRITE = "refunds:write"
    PAYMENT_METHODS_WRITE = "payment_methods:write"
    BALANCE_READ = "balance:read"
    REVIEWS_WRITE = "reviews:write"
    EVENTS_READ = "events:read"


SCOPE_MEANINGS = {
    Scope.PAYMENTS_READ: "See payments and the merchant's own data.",
    Scope.PAYMENTS_WRITE: "Create, confirm, capture and cancel payments.",
    Scope.REFUNDS_WRITE: "Give money back.",
    Scope.PAYMENT_METHODS_WRITE: "Store and detach cards.",
    Scope.BALANCE_READ: "See the balance and its entries.",
    Scope.REVIEWS_WRITE: "Approve or reject payments that are held for review.",
    Scope.EVENTS_READ: "See events.",
}


def parse_scopes(text: str) -> frozenset[Scope]:
    """Return the scopes of a list with blanks between.

    Raises:
        ValueError: one of them is none of ours.
    """
    return frozenset(Scope(word) for word in text.split(" ") if word)


def write_scopes(scopes: Iterable[Scope]) -> str:
    given = frozenset(scopes)
    return " ".join(scope for scope in Scope if scope in given)


class SigningAlgorithm(StrEnum):
    """EdDSA is Ed25519 here (RFC 8037), under the name that gateways know; RS256 is RSA with 2048 bits."""

    EDDSA = "EdDSA"
    RS256 = "RS256"
