"""Creates a merchant."""

from dataclasses import asdict, dataclass

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
    now, public_id = utc_now(), new_id("mer")

    def work(session: Session) -> Merchant:
        merchant = Merchant(**asdict(command), public_id=public_id, created_at=now)
        session.add(merchant)
        session.flush()
        return merchant

    return db.in_transaction(work)
