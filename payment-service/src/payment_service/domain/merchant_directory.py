"""Merchants as every payment needs them: read once, then remembered for a while."""

import threading
import time
from dataclasses import dataclass, fields
from operator import attrgetter

from cachetools import TTLCache, cachedmethod
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.errors import MerchantMissing
from payment_service.models.merchant import LAB_MERCHANT_ID, Merchant

REMEMBERED_S = 60.0
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class MerchantRecord:
    """A merchant's data, free of any session."""

    id: int
    public_id: str
    name: str
    legal_name: str
    address: str
    tax_number: str
    locale: str


class MerchantDirectory:
    """Looks merchants up; a change of one is seen within ``REMEMBERED_S`` seconds."""

    def __init__(self) -> None:
        self._records: TTLCache[int | str, MerchantRecord] = TTLCache(
            MOST_REMEMBERED,
            REMEMBERED_S,
            lambda: time.monotonic(),  # noqa: PLW0108  looked up whenever it is read: tests hold it
        )
        self._lock = threading.Lock()

    def lab(self, session: Session) -> MerchantRecord:
        """Return the merchant of the lab surface.

        Raises:
            MerchantMissing: the database was not seeded.
        """
        return self._find(session, LAB_MERCHANT_ID)

    def get(self, session: Session, merchant_id: int) -> MerchantRecord:
        return self._find(session, merchant_id)

    @cachedmethod(attrgetter("_records"), key=lambda _self, _session, key: key, lock=attrgetter("_lock"))
    def _find(self, session: Session, key: int | str) -> MerchantRecord:
        column = Merchant.id if isinstance(key, int) else Merchant.public_id
        merchant = session.scalar(select(Merchant).where(column == key))
        if merchant is None:
            raise MerchantMissing
        return MerchantRecord(
            **{field.name: getattr(merchant, field.name) for field in fields(MerchantRecord)}
        )
