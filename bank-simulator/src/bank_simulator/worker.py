"""What the simulator does by itself, in threads of its web process: it delivers its events, and ends what is
overdue. Several processes may do so side by side: the queue is leased, and open requests are locked."""

from flask import Flask
from service_kit.jobs.loops import Background, PeriodicLoop, QueueLoop
from service_kit.jobs.queue import Done, Failed, LeasedQueue, Result, RetrySchedule
from service_kit.web.http_client import Dependency, HttpClient

from bank_simulator.clients.webhook_receiver import NotDelivered, WebhookReceiver
from bank_simulator.commands.end_overdue import end_all_overdue
from bank_simulator.config import Config
from bank_simulator.controllers.request import EXTENSION, Dependencies
from bank_simulator.domain.events import QUEUE
from bank_simulator.extensions import db
from bank_simulator.models import WebhookEvent

# Several at a time, and retries with jitter: the order in which events arrive is not theirs.
CONCURRENT_DELIVERIES = 4
TIMEOUT_S = 6.0
SCHEDULE = RetrySchedule([0.2, 1, 2, 5, 15], [(float("inf"), 30.0)])
OVERDUE_EVERY_S = 1.0
BATCH = 50


def background(app: Flask) -> Background:
    dependencies: Dependencies = app.extensions[EXTENSION]
    config = dependencies.config
    receiver = WebhookReceiver(HttpClient(_merchants_side(config)), config.webhook_secret)

    def deliver(event: WebhookEvent) -> Result:
        try:
            receiver.deliver(event.event_id, event.body)
        except NotDelivered as exc:
            return Failed(str(exc))
        return Done()

    queue = LeasedQueue(db, WebhookEvent, QUEUE, SCHEDULE)
    deliveries = QueueLoop(app, queue, deliver, concurrency=CONCURRENT_DELIVERIES)
    # So that the merchant's side hears of them without asking.
    overdue = PeriodicLoop(
        app, "overdue", OVERDUE_EVERY_S, lambda: end_all_overdue(dependencies.settings, BATCH), BATCH
    )
    return Background([deliveries, overdue])


def _merchants_side(config: Config) -> Dependency:
    return Dependency(
        "merchants-side",
        config.webhook_url,
        TIMEOUT_S,
        max_concurrent=CONCURRENT_DELIVERIES,
        breaker_failures=20,
        breaker_reset_s=1.0,
    )
