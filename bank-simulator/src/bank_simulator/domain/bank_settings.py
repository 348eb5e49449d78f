"""What the banks were configured with, and what a unit of work is given."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from service_kit.clock import utc_now
from service_kit.ids import new_id


@dataclass(frozen=True, slots=True)
class BankSettings:
    """The key of the HMACs, how long a challenge waits, and how long a bank thinks that decides later."""

    card_key: str
    acs_session_s: float = 600.0
    decision_s: float = 30.0


@dataclass(frozen=True, slots=True)
class UnitInputs:
    """Time and chance, which a unit of work must not look for by itself: it may be run again."""

    settings: BankSettings
    now: datetime
    authorization_code: str
    acs_token: str
    event_id: str

    @classmethod
    def draw(cls, settings: BankSettings) -> "UnitInputs":
        """Look at the clock and draw a code, a token that nobody can guess, and an event's id."""
        return cls(
            settings=settings,
            now=utc_now(),
            authorization_code=new_authorization_code(),
            acs_token=secrets.token_urlsafe(32),
            event_id=new_id("bevt"),
        )

    def after(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)


def new_authorization_code() -> str:
    return secrets.token_hex(3).upper()
