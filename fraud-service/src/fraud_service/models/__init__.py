"""The tables; importing this package fills the metadata."""

from fraud_service.models.assessment import Assessment
from fraud_service.models.base import Base
from fraud_service.models.list_entry import ListEntry
from fraud_service.models.outcome import Outcome

__all__ = ["Assessment", "Base", "ListEntry", "Outcome"]
