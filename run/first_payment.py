"""What is printed when everything is ready: where things are, and the commands of a first payment."""

import json
from collections.abc import Sequence

from run.settings import RunSettings
from run.terminal import shown_path

_JSON = "-H 'Content-Type: application/json'"
_ORDER = '{"user_id": 1, "order_id": 1, "total_amount": 59.5}'
CARD = '{"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"}'


def addresses(settings: RunSettings, gateway: str) -> str:
    """Where everything listens and writes."""
    ports = settings.ports
    rows = [
        (
            "gateway",
            settings.gateway_url,
            f"{gateway}; {settings.orders_per_minute} orders a minute",
        ),
        *(
            (name, f"http://127.0.0.1:{port}", "API page at /docs")
            for name, port in (
                ("payment-service", ports.payment),
                ("fraud-service", ports.fraud),
                ("notification-service", ports.notification),
                ("bank-simulator", ports.bank),
            )
        ),
        ("Store Manager", settings.store_manager, "expected there; without it `make demo` plays the shop"),
        ("receipts", shown_path(settings.mail), "e-mails as .eml files"),
        ("lab client", shown_path(settings.lab_client_file), "client_id and client_secret for /v1"),
        ("logs", shown_path(settings.logs), "one file per process; warnings appear here too"),
    ]
    return "\n".join(f"  {name:<21} {where:<23} {what}" for name, where, what in rows)


def client_lines(settings: RunSettings) -> Sequence[str]:
    """The credentials of the lab's API client, and a first token with them; nothing without a lab."""
    if not settings.lab_client_file.exists():
        return ()
    client = json.loads(settings.lab_client_file.read_text())
    basic = f"{client['client_id']}:{client['client_secret']}"
    cut = r"""sed 's/.*"access_token": *"\([^"]*\)".*/\1/'"""
    ask = f"curl -s -u {basic} -d grant_type=client_credentials {client['token_url']}"
    return (
        f"TOKEN=$({ask} | {cut})",
        f'curl -s -H "Authorization: Bearer $TOKEN" {settings.gateway_url}/v1/merchant',
    )


def curl_lines(settings: RunSettings) -> Sequence[str]:
    """The commands of a first payment, as they can be pasted into a shell."""
    payments = f"{settings.gateway_url}/payments-api/payments"
    only_the_id = r"""sed 's/.*"payment_id": *\([0-9]*\).*/\1/'"""
    return (
        f"PAYMENT=$(curl -s {_JSON} -d '{_ORDER}' {payments} | {only_the_id})",
        f"echo Open {payments}/process/$PAYMENT in a browser, or pay here:",
        f"curl -sw '\\n' {_JSON} -d '{CARD}' {payments}/process/$PAYMENT",
        f"curl -sw '\\n' http://127.0.0.1:{settings.ports.payment}/payments/$PAYMENT",
    )
