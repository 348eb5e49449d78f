"""Applies what a provider says of a dispute: once, in whatever order its events arrive.

An end may come before the beginning: the dispute is then written with its end, and both postings are made.
An opening that arrives after that changes nothing. What was refunded can be disputed all the same: the books
then say that the merchant owes it. Disputed and lost money never exceed what was captured: a dispute that
does not fit waits while a capture is under way, and otherwise changes nothing, because then the provider or
we are wrong about the payment (an event and an alert say so).
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.books.postings import post_dispute_lost, post_dispute_opened, post_dispute_won
from payment_service.domain.payments.events import EventKey, provider_actor, record_event
from payment_service.errors import MoneyUnderWay
from payment_service.models.dispute import Dispute
from payment_service.models.payment import Payment
from payment_service.providers.port import DisputeNews
from payment_service.values.statuses import DisputeStatus, InboxOutcome

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DisputeCase:
    """What a provider says of a dispute about ``payment``, which is locked; ``new_id`` is for a new one."""

    session: Session
    key: EventKey
    payment: Payment
    provider: str
    news: DisputeNews
    new_id: str
    now: datetime

    def apply(self) -> InboxOutcome:
        """Change what is to be changed, and return what came of it.

        Raises:
            MoneyUnderWay: whether it fits is known once an open capture has ended.
        """
        dispute = self._find()
        if dispute is None:
            if not self._fits():
                return self._report_difference(None)
            dispute = self._open()
        elif (dispute.payment_id, dispute.amount) != (self.payment.id, self.news.amount):
            return self._report_difference(dispute)
        if self.news.status in {DisputeStatus.OPENED, dispute.status}:
            return InboxOutcome.APPLIED
        if dispute.status != DisputeStatus.OPENED:
            return self._report_contradiction(dispute)
        self._end(dispute)
        return InboxOutcome.APPLIED

    def _find(self) -> Dispute | None:
        return self.session.scalar(
            select(Dispute)
            .where(Dispute.provider == self.provider, Dispute.provider_dispute_id == self.news.dispute_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def _fits(self) -> bool:
        payment, news = self.payment, self.news
        if news.amount.currency != payment.currency:
            return False
        # One that was won already takes no room: what it disputed may be disputed again since.
        is_won = news.status is DisputeStatus.WON
        room_minor = payment.captured_minor if is_won else payment.disputable_minor
        if news.amount.amount_minor <= room_minor:
            return True
        if payment.capturing_minor:
            raise MoneyUnderWay
        return False

    def _open(self) -> Dispute:
        payment, news = self.payment, self.news
        dispute = Dispute(
            public_id=self.new_id,
            merchant_id=payment.merchant_id,
            payment_id=payment.id,
            payment_public_id=payment.public_id,
            movement=news.original_id,
            provider=self.provider,
            provider_dispute_id=news.dispute_id,
            status=DisputeStatus.OPENED,
            amount_minor=news.amount.amount_minor,
            currency=news.amount.currency,
            reason=news.reason,
            created_at=self.now,
        )
        self.session.add(dispute)
        payment.disputed_minor += dispute.amount_minor
        post_dispute_opened(self.session, payment, dispute, self.now)
        self._record(dispute, "dispute.opened")
        return dispute

    def _end(self, dispute: Dispute) -> None:
        payment = self.payment
        dispute.status = self.news.status
        dispute.closed_at = self.now
        payment.disputed_minor -= dispute.amount_minor
        if self.news.status is DisputeStatus.WON:
            post_dispute_won(self.session, payment, dispute, self.now)
        else:
            payment.charged_back_minor += dispute.amount_minor
            post_dispute_lost(self.session, payment, dispute, self.now)
        self._record(dispute, f"dispute.{dispute.status}")

    def _report_contradiction(self, dispute: Dispute) -> InboxOutcome:
        log.error("dispute_contradicted", dispute=dispute.public_id, status=dispute.status)
        self._record(dispute, "dispute.contradicted", said_status=self.news.status)
        return InboxOutcome.CONTRADICTED

    def _report_difference(self, dispute: Dispute | None) -> InboxOutcome:
        """Report an amount that differs from ours, or does not fit what was captured."""
        payment, news = self.payment, self.news
        log.error(
            "amount_differs", payment=payment.public_id, provider=self.provider, dispute=news.dispute_id
        )
        known = dispute.amount if dispute is not None else payment.amount
        data = {
            "movement": news.original_id,
            "dispute": news.dispute_id if dispute is None else dispute.public_id,
            "amount_minor": known.amount_minor,
            "currency": known.currency,
            "said_amount_minor": news.amount.amount_minor,
            "said_currency": news.amount.currency,
        }
        actor = provider_actor(self.provider)
        record_event(self.session, self.key, payment, "movement.amount_differs", self.now, data, actor=actor)
        return InboxOutcome.AMOUNT_DIFFERS

    def _record(self, dispute: Dispute, event_type: str, **more: str) -> None:
        data = {
            "dispute": dispute.public_id,
            "status": dispute.status,
            "amount_minor": dispute.amount_minor,
            "currency": dispute.currency,
            "reason": dispute.reason,
            "movement": dispute.movement,
            "provider_dispute": dispute.provider_dispute_id,
            **more,
        }
        actor = provider_actor(self.provider)
        record_event(self.session, self.key, self.payment, event_type, self.now, data, actor=actor)
