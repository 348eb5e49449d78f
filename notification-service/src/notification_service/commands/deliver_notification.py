"""Deliver one notification: render it and hand it to the channel."""

from dataclasses import dataclass

from service_kit.clock import utc_now
from service_kit.jobs.queue import Result
from service_kit.web import strict_json

from notification_service.channels.port import Channel
from notification_service.domain.delivery_queue import Try, result_of
from notification_service.models import Notification
from notification_service.rendering.emails import compose_email
from notification_service.rendering.renderer import Renderer
from notification_service.values.receipt import Receipt


@dataclass(frozen=True, slots=True)
class DeliverNotification:
    """Handles the queue's rows; it touches no database, so no transaction is open while it sends."""

    renderer: Renderer
    channel: Channel
    mail_from: str

    def __call__(self, row: Notification) -> Result:
        """Send what the row says; the answer becomes the row's state and a line of the delivery log."""
        receipt = Receipt.from_data(strict_json.loads(row.data.encode()))
        email = compose_email(
            self.renderer.render(row.type, row.locale, receipt),
            email_id=row.public_id,
            mail_from=self.mail_from,
            recipient=row.recipient,
            locale=row.locale,
            accepted_at=row.accepted_at,
        )
        attempted_at = utc_now()
        answer = self.channel.send(email)
        return result_of(Try(attempted_at, self.channel.name, answer.outcome, answer.text))
