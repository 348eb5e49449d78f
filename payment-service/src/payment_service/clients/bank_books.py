"""The client of the bank's own books, for whoever compares ours with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from service_kit.web.http_client import HttpClient, OutcomeUnknown

PAGE = 1000


@dataclass(frozen=True, slots=True)
class BankTotals:
    """What the bank took for a merchant and gave back of it, in minor units."""

    taken_minor: int
    refunded_minor: int
    voided_minor: int


@dataclass(frozen=True, slots=True)
class BankMovement:
    """Something that the bank approved; a void has no amount of its own."""

    request_id: str
    kind: str
    amount_minor: int | None
    currency: str | None


class BankBooks:
    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def totals(self, merchant_id: str) -> dict[str, BankTotals]:
        """Return the merchant's totals by currency. Raises ``CallFailed``."""
        return {
            row["currency"]: BankTotals(
                # Sales alone, or with captures apart.
                row["sales_minor"] + row.get("captures_minor", 0),
                row["refunds_minor"],
                row["voids_minor"],
            )
            for row in self._get("/admin/totals")["totals"]
            if row["merchant_id"] == merchant_id
        }

    def approved(self, merchant_id: str) -> Iterator[list[BankMovement]]:
        """Yield what the bank approved for the merchant in pages, oldest first. Raises ``CallFailed``."""
        after: int | None = 0
        while after is not None:
            query = urlencode({"merchant_id": merchant_id, "after": after, "limit": PAGE})
            page = self._get(f"/admin/requests?{query}")
            yield [
                BankMovement(row["request_id"], row["kind"], row["amount_minor"], row["currency"])
                for row in page["requests"]
                if row["status"] == "approved"
            ]
            after = page["next_after"]

    def _get(self, path: str) -> Any:
        answer = self._http.get(path)
        if answer.status != HTTPStatus.OK:
            raise OutcomeUnknown(f"the bank's books: HTTP {answer.status}")
        return answer.json()
