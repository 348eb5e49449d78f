"""By what a payment is named, and who may find it by that."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from payment_service.errors import PaymentNotFound
from payment_service.models.payment import Payment
from payment_service.values.statuses import Surface


class PaymentReference(ABC):
    """Names one payment; whoever may not see it does not find it."""

    @abstractmethod
    def condition(self) -> ColumnElement[bool]:
        """Return the condition of a query for it."""

    def not_found(self) -> PaymentNotFound:
        """Return the error for when there is none."""
        return PaymentNotFound("checkout")

    def find_id(self, session: Session) -> int | None:
        return session.scalar(select(Payment.id).where(self.condition()))


@dataclass(frozen=True)
class LabPayment(PaymentReference):
    """A payment of the lab surface by its integer id: anybody who knows it."""

    payment_id: int

    def condition(self) -> ColumnElement[bool]:
        return and_(Payment.id == self.payment_id, Payment.surface == Surface.LAB)

    def not_found(self) -> PaymentNotFound:
        return PaymentNotFound(str(self.payment_id))


@dataclass(frozen=True)
class MerchantPayment(PaymentReference):
    """A payment by its public id: the merchant whose it is."""

    merchant_id: int
    public_id: str

    def condition(self) -> ColumnElement[bool]:
        return and_(Payment.public_id == self.public_id, Payment.merchant_id == self.merchant_id)

    def not_found(self) -> PaymentNotFound:
        return PaymentNotFound(self.public_id)


@dataclass(frozen=True)
class PaymentOfAttempt(PaymentReference):
    """The payment of an attempt that was found: whoever found that."""

    payment_id: int

    def condition(self) -> ColumnElement[bool]:
        return Payment.id == self.payment_id


@dataclass(frozen=True)
class CheckoutPayment(PaymentReference):
    """A payment by the token of its checkout page: whoever was given the link."""

    token: str

    def condition(self) -> ColumnElement[bool]:
        return Payment.checkout_token == self.token
