"""Everything the network was asked, with its answer."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, enum_column
from sqlalchemy import BigInteger, ForeignKey, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bank_simulator.models.base import Base
from bank_simulator.models.card import Card
from bank_simulator.values.authentication import Authentication
from bank_simulator.values.vocabulary import (
    AuthenticationStatus,
    DeclineCode,
    Holding,
    RequestKind,
    Status,
)


class NetworkRequest(Base):
    """A request and its answer; ``request_id`` is unique, which makes every operation idempotent.

    A tombstone of an id that never arrived (status abandoned) has no kind, fingerprint and amount.
    ``released_minor`` is what a capture or a void gave back to the cardholder out of the hold. The columns
    from ``holding`` on belong to approved sales and authorisations; they change, under the row's lock, when
    such a request is captured, voided, refunded (pending refunds count) or disputed (those that were won do
    not count).

    While the request is open (``requires_action``, ``pending``), ``due_at`` is when it ends by itself: the
    challenge as failed, the other as the bank's ``decision`` says. ``acs_token`` opens the challenge's page.
    """

    __tablename__ = "network_requests"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    kind: Mapped[RequestKind | None] = mapped_column(enum_column(RequestKind, 32))
    status: Mapped[Status] = mapped_column(enum_column(Status, 32))
    decline_code: Mapped[DeclineCode | None] = mapped_column(enum_column(DeclineCode, 32))
    fingerprint: Mapped[str | None] = mapped_column(ascii_key(64))
    authorization_code: Mapped[str | None] = mapped_column(ascii_key(6))
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(ascii_key(3))
    merchant_id: Mapped[str | None] = mapped_column(ascii_key(64), index=True)
    order_id: Mapped[str | None] = mapped_column(ascii_key(64))
    card_id: Mapped[int | None] = mapped_column(ForeignKey(Card.id))
    original_row_id: Mapped[int | None] = mapped_column(ForeignKey("network_requests.id"), index=True)
    released_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    processed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    authentication_status: Mapped[AuthenticationStatus | None] = mapped_column(
        enum_column(AuthenticationStatus, 32)
    )
    eci: Mapped[str | None] = mapped_column(ascii_key(2))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    decision: Mapped[Status | None] = mapped_column(enum_column(Status, 32))
    acs_token: Mapped[str | None] = mapped_column(ascii_key(43), index=True, unique=True)
    return_url: Mapped[str | None] = mapped_column(Text)
    merchant_name: Mapped[str | None] = mapped_column(String(200))
    wrong_codes: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    holding: Mapped[Holding | None] = mapped_column(enum_column(Holding, 32))
    held_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    captured_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    disputed_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))

    @property
    def is_open(self) -> bool:
        return self.status in {Status.REQUIRES_ACTION, Status.PENDING}

    @property
    def three_ds(self) -> Authentication | None:
        """What 3-D Secure came to; None where it was not asked, or the cardholder has still to act."""
        if self.authentication_status is None or self.eci is None:
            return None
        return Authentication(self.authentication_status, self.eci)

    @property
    def open_acs_token(self) -> str | None:
        return self.acs_token if self.status is Status.REQUIRES_ACTION else None

    @property
    def returnable_minor(self) -> int:
        """What of the captured money has neither been given back nor is disputed; below 0 if both."""
        return self.captured_minor - self.refunded_minor - self.disputed_minor

    @property
    def disputable_minor(self) -> int:
        """What of the captured money is in no open or lost dispute, given back or not."""
        return self.captured_minor - self.disputed_minor

    def is_overdue(self, now: datetime) -> bool:
        return self.is_open and self.due_at is not None and self.due_at <= now
