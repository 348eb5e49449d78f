"""Puts the payment-service together; the only place that knows all its parts."""

from collections.abc import Mapping
from datetime import timedelta
from threading import BoundedSemaphore

from flask import Flask
from service_kit.db.database import leave_transaction
from service_kit.jobs.wake import Waker
from service_kit.process import logs
from service_kit.process.config import Profile
from service_kit.web import standard_app
from service_kit.web.api import Api
from service_kit.web.http_client import Dependency, HttpClient

from payment_service.clients.fraud import FraudClient
from payment_service.config import Config
from payment_service.controllers import payment_page
from payment_service.controllers.access import SECURITY_SCHEME
from payment_service.controllers.checkout import checkout
from payment_service.controllers.lab_payments import lab_payments
from payment_service.controllers.oauth2 import CLIENT_SCHEME, oauth2
from payment_service.controllers.provider_webhooks import SIGNATURE_SCHEME, provider_webhooks
from payment_service.controllers.request import EXTENSION
from payment_service.controllers.service_root import service_root
from payment_service.controllers.v1.balance import balance, merchant
from payment_service.controllers.v1.disputes import disputes
from payment_service.controllers.v1.events import events
from payment_service.controllers.v1.movements import cancellations, captures, reviews
from payment_service.controllers.v1.payment_methods import payment_methods
from payment_service.controllers.v1.payments import payments
from payment_service.controllers.v1.refunds import refunds
from payment_service.domain.access.access_tokens import AccessTokens
from payment_service.domain.access.api_clients import ClientDirectory, ClientSecrets
from payment_service.domain.access.signing_keys import KeyRing, KeySealer
from payment_service.domain.access.token_failures import TokenFailures
from payment_service.domain.merchant_directory import MerchantDirectory
from payment_service.domain.payments.events import EventKey
from payment_service.domain.payments.schedules import InquirySchedule
from payment_service.domain.settlement.context import Lifetimes, SettlementPolicy
from payment_service.extensions import db
from payment_service.problems import PROBLEMS
from payment_service.processing.dependencies import Dependencies, FraudAssessor, WakesWorker
from payment_service.providers.bank_simulator import BankSimulator
from payment_service.providers.bank_simulator_webhooks import BankSimulatorWebhooks
from payment_service.providers.port import Provider
from payment_service.values.scopes import SCOPE_MEANINGS
from payment_service.vault.envelopes import EnvelopeKeys
from payment_service.vault.vault import Vault

DESCRIPTION = """Takes card payments for orders.

The lab surface is what Store Manager and its collections call: create a payment, open its page or send a
card, read it. Amounts are JSON numbers in major units (MAD), ids are integers, errors are problem documents
(RFC 9457) that also carry `error`.

`/v1` is for merchants' servers: an access token from `POST /oauth2/token` in every request, a scope for every
route, and ids such as `mer_…`. A merchant sees what it owns and nothing else."""
BLUEPRINTS = (
    service_root,
    oauth2,
    merchant,
    payments,
    checkout,
    reviews,
    captures,
    cancellations,
    refunds,
    payment_methods,
    disputes,
    balance,
    events,
    provider_webhooks,
)
# Endpoints (Flask's names) that may wait for a provider: the gateway is as patient on the same routes, which
# a test compares.
MAY_CALL_A_PROVIDER = (
    "lab.process",
    "checkout.submit_form",
    "checkout.show_return",
    "checkout.submit_return",
    "payments.create",
    "payments.confirm",
    "reviews.approve",
    "reviews.reject",
    "captures.capture",
    "cancellations.cancel",
    "refunds.create",
)
# Whoever waits for another request occupies a thread: the others are for those that work.
THREADS_PER_WAITING_PLACE = 4
SECRET_FIELDS = ("cardnumber", "card_number", "number", "pan", "cardcode", "cvv", "cvc", "access_token")


def create_app(
    config: Config | None = None,
    *,
    provider: Provider | None = None,
    fraud: FraudAssessor | None = None,
    waker: WakesWorker | None = None,
) -> Flask:
    """Return the application; ``provider``, ``fraud`` and ``waker`` replace what lies outside, in tests."""
    config = config or Config.from_env()
    configure_logs(config)
    app = Flask("payment_service")
    api = standard_app.begin(
        app, db, config.database_url, title="Caisse payment-service", description=DESCRIPTION
    )
    app.config["LAB_CURRENCY"] = config.lab_currency
    app.config["PANS_WITHOUT_LUHN"] = config.pans_without_luhn
    app.extensions[EXTENSION] = new_dependencies(config, provider, fraud, waker)
    _describe_security(api)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    if config.profile is Profile.LAB:
        api.register_blueprint(lab_payments)
    payment_page.init_app(app)
    standard_app.finish(
        app,
        PROBLEMS,
        budget_s=config.limits.request_s,
        budgets_s=dict.fromkeys(MAY_CALL_A_PROVIDER, config.limits.processing_s),
    )
    return app


def configure_logs(config: Config) -> None:
    logs.configure("payment-service", secret_keys=SECRET_FIELDS, level=config.log_level)


def _describe_security(api: Api) -> None:
    flow = {
        "tokenUrl": "/oauth2/token",
        "scopes": {scope.value: meaning for scope, meaning in SCOPE_MEANINGS.items()},
    }
    schemes = api.spec.components
    schemes.security_scheme(SECURITY_SCHEME, {"type": "oauth2", "flows": {"clientCredentials": flow}})
    schemes.security_scheme(CLIENT_SCHEME, {"type": "http", "scheme": "basic"})
    schemes.security_scheme(SIGNATURE_SCHEME, {"type": "apiKey", "in": "header", "name": "webhook-signature"})


def new_dependencies(
    config: Config,
    provider: Provider | None = None,
    fraud: FraudAssessor | None = None,
    waker: WakesWorker | None = None,
) -> Dependencies:
    """Return all that an application holds beside its routes and its database; it remembers nothing yet."""
    provider = provider or _bank(config)
    providers: Mapping[str, Provider] = {provider.name: provider}
    bank_webhooks = BankSimulatorWebhooks(config.bank_webhook_secrets)
    limits = config.limits
    return Dependencies(
        config=config,
        policy=SettlementPolicy(
            event_key=EventKey(config.event_key_id, config.event_key),
            inquiries=InquirySchedule(limits.asks_after_s, limits.asks_hourly_s, limits.asks_daily_s),
            merchants=MerchantDirectory(),
            lifetimes=Lifetimes(
                requires_action=timedelta(seconds=limits.requires_action_s),
                in_review=timedelta(seconds=limits.in_review_s),
                hold=timedelta(seconds=limits.hold_s),
            ),
        ),
        providers=providers,
        webhooks={bank_webhooks.provider: bank_webhooks},
        fraud=fraud or _fraud(config),
        waker=waker or Waker(config.worker_wake_address),
        tokens=AccessTokens(KeyRing(KeySealer(config.token_key_encryption_key)), config.public_base_url),
        clients=ClientDirectory(),
        client_secrets=ClientSecrets(config.client_secret_key),
        token_failures=TokenFailures(),
        vault=Vault(EnvelopeKeys(config.vault_keys)),
        waiting_places=BoundedSemaphore(max(1, config.web_threads // THREADS_PER_WAITING_PLACE)),
    )


def http_client(dependency: Dependency) -> HttpClient:
    """Return a client that refuses to call while a transaction is open."""
    return HttpClient(dependency, before_call=lambda: leave_transaction(db.session()))


def _bank(config: Config) -> BankSimulator:
    url, timeout_s, most = config.bank_url, config.limits.provider_s, config.bank_max_concurrent
    dependency = Dependency("bank-simulator", url, timeout_s, token=config.bank_token, max_concurrent=most)
    return BankSimulator(http_client(dependency))


def _fraud(config: Config) -> FraudClient:
    url, token, limit_s = config.fraud_service_url, config.service_token, config.limits.fraud_s
    return FraudClient(
        http_client(Dependency("fraud-service", url, limit_s, token=token, max_wait_s=limit_s))
    )
