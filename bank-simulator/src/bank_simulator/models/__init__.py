"""Tables; importing this package registers them all."""

from bank_simulator.models.account import Account
from bank_simulator.models.base import Base
from bank_simulator.models.card import Card
from bank_simulator.models.dispute import Dispute
from bank_simulator.models.entry import Entry
from bank_simulator.models.fault import ArrivalCount, StoredFaultPlan
from bank_simulator.models.network_request import NetworkRequest
from bank_simulator.models.webhook_event import WebhookEvent

__all__ = [
    "Account",
    "ArrivalCount",
    "Base",
    "Card",
    "Dispute",
    "Entry",
    "NetworkRequest",
    "StoredFaultPlan",
    "WebhookEvent",
]
