"""Takes a new merchant in."""

from dataclasses import dataclass

from service_kit.clock import utc_now
from service_kit.ids import new_id
from sqlalchemy.orm import Session

from payment_service.extensions import db
from payment_service.models.merchant import Merchant


@dataclass(frozen=True, slots=True)
class CreateMerchant:
    """A merchant's data: ``name`` for payers, the rest for receipts; ``address`` has a line per newline."""

    name: str
    legal_name: str
    address: str
    tax_number: str
    locale: str
    currency: str


def create_merchant(command: CreateMerchant) -> Merchant:
    """Store the merchant and return it."""
    now, public_id = utc_now(), new_id("mer")

    def work(session: Session) -> Merchant:
        merchant = Merchant(
            public_id=public_id,
            name=command.name,
            legal_name=command.legal_name,
            address=command.address,
            tax_number=command.tax_number,
            locale=command.locale,
            currency=command.currency,
            created_at=now,
        )
        session.add(merchant)
        session.flush()
        return merchant

    return db.in_transaction(work)
