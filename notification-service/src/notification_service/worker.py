"""The background process: delivers what was accepted."""

from contextlib import closing

from flask import Flask
from service_kit.jobs import loops
from service_kit.jobs.loops import QueueLoop
from service_kit.jobs.wake import WakeUpCall

from notification_service.app import create_app
from notification_service.channels.port import Channel
from notification_service.channels.registry import open_channel
from notification_service.commands.deliver_notification import DeliverNotification
from notification_service.config import Config
from notification_service.domain.delivery_queue import DeliveryQueue
from notification_service.extensions import db
from notification_service.models import Notification
from notification_service.rendering.renderer import Renderer

# Nobody waits for an e-mail that long; those that come together are claimed and recorded together.
PAUSE_S = 0.25


def delivery_loop(
    app: Flask, config: Config, *, channel: Channel | None = None, pause_s: float = 0.0
) -> QueueLoop[Notification]:
    """Return the loop that delivers, by ``channel`` or by the one that the settings choose."""
    renderer = Renderer(config.time_zone)
    handle = DeliverNotification(renderer, channel or open_channel(config), config.mail_from)
    queue = DeliveryQueue(db, lease_s=config.delivery_lease_s)
    return QueueLoop(app, queue, handle, concurrency=config.delivery_concurrency, pause_s=pause_s)


def run_worker(config: Config) -> None:
    loop = delivery_loop(create_app(config), config, pause_s=PAUSE_S)
    with closing(WakeUpCall(config.worker_wake_address, [loop.wake])):
        loops.run([loop])
