"""The background process: delivers the outbox, asks about open attempts, closes what nobody paid,
forgets old idempotency keys and messages."""

from functools import partial

from flask import Flask
from service_kit.jobs.loops import BatchLoop, Loop, PeriodicLoop, QueueLoop, run
from service_kit.jobs.wake import WakeUpCall
from service_kit.web.http_client import Dependency

from payment_service.app import create_app, http_client
from payment_service.clients.deliveries import BatchClient, NotificationClient, StoreManagerClient
from payment_service.commands.upkeep.deliver_outbox import batch_deliveries, deliveries
from payment_service.commands.upkeep.expire_payments import expire_payments
from payment_service.commands.upkeep.prune import prune_idempotency_keys, prune_messages
from payment_service.commands.upkeep.run_janitor import run_janitor
from payment_service.commands.upkeep.take_snapshots import SnapshotJob
from payment_service.commands.webhooks.settle_inbox import inboxes
from payment_service.config import Config
from payment_service.controllers.request import EXTENSION
from payment_service.domain.merchant_directory import MerchantDirectory

CONCURRENT_DELIVERIES = 8
CONCURRENT_EVENTS = 4


def build_loops(app: Flask, config: Config) -> list[Loop]:
    """Return everything that this worker does."""
    dependencies = app.extensions[EXTENSION]
    shop = StoreManagerClient(http_client(_shop(config)))
    to_notifications = http_client(_notifications(config))
    events = BatchClient(to_notifications, "/internal/events", "events")
    outcomes = BatchClient(http_client(_fraud_outcomes(config)), "/internal/outcomes", "outcomes")
    loops: list[Loop] = [
        *(
            QueueLoop(app, delivery.queue, delivery.deliver, concurrency=CONCURRENT_DELIVERIES)
            for delivery in deliveries(shop, NotificationClient(to_notifications))
        ),
        *(
            BatchLoop(app, delivery.queue, delivery.deliver)
            for delivery in batch_deliveries(events, outcomes, MerchantDirectory())
        ),
    ]
    loops += [
        QueueLoop(app, inbox.queue, inbox.settle, concurrency=CONCURRENT_EVENTS)
        for inbox in inboxes(dependencies)
    ]
    janitor = PeriodicLoop(
        app, "janitor", config.limits.janitor_turn_s, lambda: len(run_janitor(dependencies, limit=20)), 20
    )
    expiry = PeriodicLoop(
        app, "expiry", config.limits.expiry_turn_s, lambda: expire_payments(dependencies, limit=100), 100
    )
    pruning = [
        PeriodicLoop(app, name, config.limits.pruning_turn_s, partial(prune, dependencies, limit=500), 500)
        for name, prune in (("pruning", prune_idempotency_keys), ("pruning_messages", prune_messages))
    ]
    take_snapshots = SnapshotJob(config.limits.snapshot_lag_s).take
    snapshots = PeriodicLoop(app, "snapshots", config.limits.snapshot_turn_s, take_snapshots, 1)
    return [*loops, janitor, expiry, *pruning, snapshots]


def run_worker(config: Config) -> None:
    """Work until SIGTERM."""
    app = create_app(config)
    call = WakeUpCall(config.worker_wake_address)
    try:
        run(build_loops(app, config), call.subscribe)
    finally:
        call.close()


def _shop(config: Config) -> Dependency:
    return Dependency(
        "store-manager",
        config.store_manager_orders_url,
        config.limits.shop_s,
        max_concurrent=CONCURRENT_DELIVERIES,
        breaker_failures=20,
        breaker_reset_s=1.0,
    )


def _notifications(config: Config) -> Dependency:
    return Dependency(
        "notification-service",
        config.notification_service_url,
        config.limits.notification_s,
        token=config.service_token,
        max_concurrent=CONCURRENT_DELIVERIES,
        breaker_failures=20,
        breaker_reset_s=1.0,
    )


def _fraud_outcomes(config: Config) -> Dependency:
    # Nobody waits for these: they have more time than a judgement.
    return Dependency(
        "fraud-service",
        config.fraud_service_url,
        config.limits.notification_s,
        token=config.service_token,
        breaker_failures=20,
        breaker_reset_s=1.0,
    )
