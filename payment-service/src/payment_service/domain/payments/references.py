"""By what a payment is named, and who may find it by that."""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement, and_

from payment_service.errors import PaymentNotFound
from payment_service.models.payment import Payment
from payment_service.values.statuses import Surface


class PaymentReference(Protocol):
    """Names one payment; whoever may not see it does not find it."""

    def condition(self) -> ColumnElement[bool]:
        """Return what a query must ask for."""
        ...

    def not_found(self) -> PaymentNotFound:
        """Return the error for when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class LabPayment:
    """A payment of the lab surface by its integer id: anybody who knows it."""

    payment_id: int

    def condition(self) -> ColumnElement[bool]:
        """Return what a query must ask for."""
        return and_(Payment.id == self.payment_id, Payment.surface == Surface.LAB)

    def not_found(self) -> PaymentNotFound:
        """Return the error for when there is none."""
        return PaymentNotFound(str(self.payment_id))


@dataclass(frozen=True, slots=True)
class MerchantPayment:
    """A payment by its public id: the merchant whose it is."""

    merchant_id: int
    public_id: str

    def condition(self) -> ColumnElement[bool]:
        """Return what a query must ask for."""
        return and_(Payment.public_id == self.public_id, Payment.merchant_id == self.merchant_id)

    def not_found(self) -> PaymentNotFound:
        """Return the error for when there is none."""
        return PaymentNotFound(self.public_id)


@dataclass(frozen=True, slots=True)
class PaymentOfAttempt:
    """The payment of an attempt that was found: whoever found that."""

    payment_id: int

    def condition(self) -> ColumnElement[bool]:
        """Return what a query must ask for."""
        return Payment.id == self.payment_id

    def not_found(self) -> PaymentNotFound:
        """Return the error for when there is none."""
        return PaymentNotFound("checkout")


@dataclass(frozen=True, slots=True)
class CheckoutPayment:
    """A payment by the token of its checkout page: whoever was given the link."""

    token: str

    def condition(self) -> ColumnElement[bool]:
        """Return what a query must ask for."""
        return Payment.checkout_token == self.token

    def not_found(self) -> PaymentNotFound:
        """Return the error for when there is none."""
        return PaymentNotFound("checkout")
