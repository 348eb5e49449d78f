"""A card in memory, for the length of one request; it never prints itself."""

import hashlib
import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CardData:
    """What the cardholder typed: digits only; ``cvv`` has 3 or 4, and is None where the payer is absent."""

    number: str = field(repr=False)
    exp_month: int = field(repr=False)
    exp_year: int = field(repr=False)
    cvv: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"card ending in {self.last4}"

    @property
    def last4(self) -> str:
        """The digits that may be shown and stored (PCI DSS 3.4.1)."""
        return self.number[-4:]

    @property
    def bin(self) -> str:
        """The issuer's first six digits, which may be stored (PCI DSS 3.4.1)."""
        return self.number[:6]

    def fingerprint(self, key: bytes) -> str:
        """Return the HMAC-SHA256 by which we recognise the card; a bare hash of 16 digits can be undone."""
        return hmac.new(key, self.number.encode(), hashlib.sha256).hexdigest()
