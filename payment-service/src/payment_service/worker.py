"""The background process: deliveries, inboxes, and the periodic work."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

from flask import Flask
from service_kit.jobs.loops import Loop, PeriodicLoop, QueueLoop, run
from service_kit.jobs.wake import WakeUpCall
from service_kit.web.http_client import Dependency, HttpClient

from payment_service.app import create_app, http_client
from payment_service.clients.deliveries import BatchClient, StoreManagerClient
from payment_service.commands.upkeep.deliver_events import BATCH as EVENTS_AT_ONCE
from payment_service.commands.upkeep.deliver_events import EventFeed, deliver_events, event_feeds
from payment_service.commands.upkeep.deliver_outbox import deliveries
from payment_service.commands.upkeep.expire_payments import expire_payments
from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.commands.upkeep.prune import prune_idempotency_keys, prune_messages
from payment_service.commands.upkeep.run_janitor import run_janitor
from payment_service.commands.upkeep.take_snapshots import SnapshotJob
from payment_service.commands.webhooks.settle_inbox import inboxes
from payment_service.config import Config, TimeLimits
from payment_service.controllers.request import EXTENSION
from payment_service.domain.merchant_directory import MerchantDirectory
from payment_service.domain.positions import BATCH, ENTRIES, EVENTS
from payment_service.extensions import db

CONCURRENT_DELIVERIES = 8
CONCURRENT_EVENTS = 4
# The shop may be told of an order twice.
RECORD_ORDERS_WITHIN_S = 0.2
# Nobody waits for what was refused, and a bank's news is mostly of what was settled already.
SET_ASIDE_PAUSE_S = 5.0
ENTRY_POSITIONS_TURN_S = 2.0
INBOX_PAUSE_S = 0.25


def build_loops(app: Flask, config: Config) -> list[Loop]:
    """Return everything that this worker does."""
    dependencies = app.extensions[EXTENSION]
    limits = config.limits
    take_snapshots = SnapshotJob(limits.snapshot_lag_s).take
    prune_keys, prune_queues = (
        partial(prune, dependencies, limit=500) for prune in (prune_idempotency_keys, prune_messages)
    )
    return [
        *_delivery_loops(app, config),
        *(
            QueueLoop(app, inbox.queue, inbox.settle, concurrency=CONCURRENT_EVENTS, pause_s=INBOX_PAUSE_S)
            for inbox in inboxes(dependencies)
        ),
        # Nobody is told of entries, and who reads them gives them their positions first.
        PeriodicLoop(
            app,
            "entry_positions",
            ENTRY_POSITIONS_TURN_S,
            lambda: give_positions(ENTRIES, dependencies),
            BATCH,
        ),
        PeriodicLoop(
            app, "janitor", limits.janitor_turn_s, lambda: len(run_janitor(dependencies, limit=20)), 20
        ),
        PeriodicLoop(
            app, "expiry", limits.expiry_turn_s, lambda: expire_payments(dependencies, limit=100), 100
        ),
        PeriodicLoop(app, "pruning", limits.pruning_turn_s, prune_keys, 500),
        PeriodicLoop(app, "pruning_messages", limits.pruning_turn_s, prune_queues, 500),
        PeriodicLoop(app, "snapshots", limits.snapshot_turn_s, take_snapshots, 1),
    ]


def _delivery_loops(app: Flask, config: Config) -> Iterator[Loop]:
    limits = config.limits
    shop = _client(
        "store-manager",
        config.store_manager_orders_url,
        limits.shop_s,
        max_concurrent=CONCURRENT_DELIVERIES,
    )
    notifications = _client(
        "notification-service",
        config.notification_service_url,
        limits.notification_s,
        token=config.service_token,
        max_concurrent=CONCURRENT_DELIVERIES,
    )
    # Nobody waits for the outcomes: they have more time than an assessment.
    fraud = _client(
        "fraud-service", config.fraud_service_url, limits.notification_s, token=config.service_token
    )
    feeds = event_feeds(
        BatchClient(notifications, "/internal/events", "events"),
        BatchClient(fraud, "/internal/outcomes", "outcomes"),
        MerchantDirectory(),
    )
    orders, *set_aside = deliveries(StoreManagerClient(shop), feeds)
    yield QueueLoop(
        app,
        orders.queue,
        orders.deliver,
        concurrency=CONCURRENT_DELIVERIES,
        record_within_s=RECORD_ORDERS_WITHIN_S,
    )
    for refused in set_aside:
        yield QueueLoop(app, refused.queue, refused.deliver, pause_s=SET_ASIDE_PAUSE_S)
    yield from _event_loops(app, limits, feeds)


def _event_loops(app: Flask, limits: TimeLimits, feeds: Iterable[EventFeed]) -> Iterator[Loop]:
    loops = [
        PeriodicLoop(
            app,
            f"{feed.destination}_feed",
            limits.feed_turn_s,
            partial(deliver_events, feed),
            EVENTS_AT_ONCE,
        )
        for feed in feeds
    ]
    notifications, _ = loops

    def place() -> int:
        placed = give_positions(EVENTS, app.extensions[EXTENSION], look_first=db.has_one_writer)
        if placed:
            notifications.hurry()
        return placed

    yield from loops
    yield PeriodicLoop(app, "event_positions", limits.position_turn_s, place, BATCH)


def _client(name: str, url: str, timeout_s: float, **more: Any) -> HttpClient:
    # The queues try again by themselves: the breaker opens late and closes soon.
    return http_client(Dependency(name, url, timeout_s, breaker_failures=20, breaker_reset_s=1.0, **more))


def run_worker(config: Config) -> None:
    """Work until SIGTERM."""
    app = create_app(config)
    loops = build_loops(app, config)
    woken = [loop.wake for loop in loops if isinstance(loop, QueueLoop)]
    with closing(WakeUpCall(config.worker_wake_address, woken)):
        run(loops)
