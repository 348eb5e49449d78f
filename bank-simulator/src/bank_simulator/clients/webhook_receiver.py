"""Sends events as Standard Webhooks (standardwebhooks.com): signed, with the event's id on every try."""

from http import HTTPStatus

from service_kit.clock import utc_now
from service_kit.web.http_client import CallFailed, HttpClient
from standardwebhooks import Webhook


class NotDelivered(Exception):
    """The receiver has not confirmed the event; the text says why, and may be stored."""


class WebhookReceiver:
    def __init__(self, http: HttpClient, secret: str) -> None:
        self._http = http
        self._webhook = Webhook(secret)

    def deliver(self, event_id: str, body: str) -> None:
        """Send an event, and expect a 2xx.

        Raises:
            NotDelivered: anything else; it may have arrived all the same.
        """
        now = utc_now()
        headers = {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(event_id, now, body),
        }
        try:
            answer = self._http.send("POST", "", body.encode(), headers=headers)
        except CallFailed as exc:
            raise NotDelivered(str(exc)) from exc
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise NotDelivered(f"HTTP {answer.status}")
