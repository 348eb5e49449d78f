"""``payment-service signing-keys``: what access tokens are signed with."""

from datetime import datetime

import click
from service_kit.clock import utc_now

from payment_service.app import create_app
from payment_service.commands.access.rotate_signing_keys import rotate_signing_keys
from payment_service.controllers.current import EXTENSION
from payment_service.domain.access.key_ring import RingKey
from payment_service.models.merchants.signing_key import SigningKey
from payment_service.queries.access import list_signing_keys
from payment_service.values.signing_algorithm import SigningAlgorithm


@click.group("signing-keys")
def signing_keys() -> None:
    """Look after the keys that sign access tokens."""


@signing_keys.command("list")
def list_keys() -> None:
    """List keys, oldest first: which one signs, which are published."""
    now = utc_now()
    with create_app().app_context():
        for key in list_signing_keys():
            click.echo(f"{key.kid}  {key.algorithm}  {_key_state(key, now)}")


@signing_keys.command("rotate")
@click.option(
    "--algorithm",
    default=SigningAlgorithm.EDDSA.value,
    show_default=True,
    type=click.Choice([algorithm.value for algorithm in SigningAlgorithm]),
)
@click.option(
    "--now", "at_once", is_flag=True, help="Sign with it at once: others that keep our keys may refuse it."
)
def rotate_key(algorithm: str, *, at_once: bool) -> None:
    """Make a new key: published now, it signs in 10 minutes, when the present one retires.

    That one stays published for 15 minutes more, until its last token has expired.
    """
    app = create_app()
    with app.app_context():
        key = rotate_signing_keys(SigningAlgorithm(algorithm), app.extensions[EXTENSION], at_once=at_once)
    click.echo(f"{key.kid} signs from {key.activated_at:%Y-%m-%d %H:%M:%S}Z on.")


def _key_state(row: SigningKey, now: datetime) -> str:
    key = RingKey.of(row)
    if key.signs(now):
        return "signs" if key.retired_at is None else f"signs until {key.retired_at:%Y-%m-%d %H:%M:%S}Z"
    if not key.is_published(now):
        return "withdrawn"
    if key.activated_at > now:
        return f"signs from {key.activated_at:%Y-%m-%d %H:%M:%S}Z"
    return "published, signs no more"
