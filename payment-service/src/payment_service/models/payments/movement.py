"""What every movement of money has: attempt, capture, void, refund."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.values.money import Money
from payment_service.values.statuses import MovementState


class Movement:
    """Columns of one movement; its row is written before it is sent.

    ``public_id`` is the idempotency key at the provider. ``send_before`` is the last moment (UTC) at which
    its sender may begin the call. ``next_ask_at`` is when the janitor asks the provider what became of it,
    empty once it has ended. The table needs ``Index(None, "next_ask_at")``.
    """

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"))
    state: Mapped[str] = mapped_column(String(16))
    provider: Mapped[str] = mapped_column(String(32))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    decline_code: Mapped[str | None] = mapped_column(String(40))
    last_error: Mapped[str | None] = mapped_column(String(255))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    send_before: Mapped[datetime] = mapped_column(UtcDateTime)
    next_ask_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ask_count: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def amount(self) -> Money:
        """What is moved."""
        return Money(self.amount_minor, self.currency)

    @property
    def is_open(self) -> bool:
        """Whether its outcome is still to come."""
        return MovementState(self.state).is_open

    def end(self, state: MovementState, at: datetime) -> None:
        """Close it: nobody asks about it any more."""
        self.state = state
        self.ended_at = at
        self.next_ask_at = None
