"""M: tables; importing this package registers them all."""

from notification_service.models.base import Base
from notification_service.models.delivery_attempt import DeliveryAttempt
from notification_service.models.notification import Notification
from notification_service.models.received_event import ReceivedEvent

__all__ = ["Base", "DeliveryAttempt", "Notification", "ReceivedEvent"]
