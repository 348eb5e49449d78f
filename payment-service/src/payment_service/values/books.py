"""The accounts of a merchant's books, and the kinds of postings that move money between them."""

from enum import StrEnum


class LedgerAccount(StrEnum):
    """Where money is. Each exists per merchant, provider and currency."""

    PROVIDER_RECEIVABLE = "provider_receivable"
    MERCHANT_PAYABLE = "merchant_payable"
    REFUNDS_IN_TRANSIT = "refunds_in_transit"
    DISPUTES = "disputes"

    def balance_minor(self, posted_minor: int) -> int:
        """Return what is in the account, or what an entry did to it, out of what was posted.

        Debits are positive in the books. What a provider owes grows with debits; what is owed to the
        merchant, to cardholders and to issuers grows with credits.
        """
        return posted_minor if self is LedgerAccount.PROVIDER_RECEIVABLE else -posted_minor


class EntryKind(StrEnum):
    """Why something was posted."""

    CAPTURED = "captured"
    REFUND_ASKED = "refund_asked"
    REFUND_DONE = "refund_done"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
