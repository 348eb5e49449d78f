"""Rotation of signing keys: no token is ever refused because of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from joserfc.jws import extract_compact
from payment_service.commands.access.api_clients import ClientCredentials
from payment_service.commands.access.revoke_signing_key import revoke_signing_key
from payment_service.commands.access.rotate_signing_keys import ensure_signing_key, rotate_signing_keys
from payment_service.domain.access.access_tokens import AccessTokens
from payment_service.domain.access.api_clients import ClientDirectory
from payment_service.domain.access.signing_keys import (
    JWKS_KEPT,
    PUBLISHED_AHEAD,
    REMEMBERED_S,
    KeyRing,
    KeySealer,
)
from payment_service.errors import AccessTokenInvalid, NotFound
from payment_service.models.merchant import SigningKey
from payment_service.queries.access import authenticate_client, published_keys
from payment_service.values.scopes import Scope, SigningAlgorithm
from service_kit.clock import utc_now
from sqlalchemy import delete
from sqlalchemy.orm import Session

from tests.testkit.payments.access import ask_token, new_client
from tests.testkit.payments.world import World

TOKEN_CLOCK = "payment_service.commands.access.issue_token.utc_now"
KEY_CLOCK = "payment_service.commands.access.rotate_signing_keys.utc_now"
REVOKE_CLOCK = "payment_service.commands.access.revoke_signing_key.utc_now"


class Server:
    """One of several web processes: it has a key ring of its own, and a clock that a test turns."""

    def __init__(self, world: World, now: Callable[[], datetime]) -> None:
        self.world, self.now = world, now
        sealer = KeySealer(world.config.token_key_encryption_key)
        self.tokens = AccessTokens(KeyRing(sealer), world.config.public_base_url)

    def accepts(self, token: str) -> bool:
        with self.world.app.app_context():
            try:
                authenticate_client(token, Scope.PAYMENTS_READ, self.tokens, ClientDirectory(), self.now())
            except AccessTokenInvalid:
                return False
        return True

    def published(self) -> set[str]:
        with self.world.app.app_context():
            return {key["kid"] for key in published_keys(self.tokens, self.now())}


class Clock:
    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for name in (TOKEN_CLOCK, KEY_CLOCK, REVOKE_CLOCK):
        monkeypatch.setattr(name, clock)
    # The ring's memory is in real seconds, which do not pass here.
    monkeypatch.setattr("payment_service.domain.access.signing_keys.REMEMBERED_S", 0.0)
    return clock


@pytest.fixture
def client(world: World) -> ClientCredentials:
    return new_client(world, "mer_lab")


def rotate(world: World, algorithm: SigningAlgorithm = SigningAlgorithm.EDDSA, **more: Any) -> SigningKey:
    with world.app.app_context():
        return rotate_signing_keys(algorithm, world.dependencies, **more)


def issue(world: World, client: ClientCredentials) -> tuple[str, str]:
    """Return a new token and the kid that signed it."""
    token: str = ask_token(world, client).json["access_token"]
    return token, extract_compact(token.encode()).headers()["kid"]


def forget_keys(world: World) -> None:
    """Let the application read its keys again, as it does by itself once a minute."""
    ring = world.dependencies.tokens.ring
    fresh = AccessTokens(KeyRing(ring.sealer), world.dependencies.tokens.issuer)
    world.app.extensions["payment-service"] = replace(world.dependencies, tokens=fresh)


def test_a_new_key_is_published_before_it_signs_and_the_old_one_until_its_last_token_ends(
    world: World, client: ClientCredentials, clock: Clock
) -> None:
    old = world.all(SigningKey)[0].kid
    remembers_the_old_keys = Server(world, clock)
    assert remembers_the_old_keys.accepts(issue(world, client)[0])

    new = rotate(world).kid
    forget_keys(world)
    assert Server(world, clock).published() == {old, new}
    assert issue(world, client)[1] == old

    clock.pass_by(minutes=9, seconds=59)
    last_of_old, kid = issue(world, client)
    assert kid == old
    clock.pass_by(seconds=1)
    assert issue(world, client)[1] == new

    clock.pass_by(minutes=14, seconds=58)
    assert Server(world, clock).accepts(last_of_old)
    assert remembers_the_old_keys.accepts(last_of_old)
    token, kid = issue(world, client)
    assert kid == new
    assert remembers_the_old_keys.accepts(token)
    clock.pass_by(seconds=30)
    assert Server(world, clock).published() == {new}
    assert not Server(world, clock).accepts(last_of_old)


def test_the_lead_is_longer_than_anybody_keeps_the_keys() -> None:
    assert JWKS_KEPT < PUBLISHED_AHEAD
    assert timedelta(seconds=REMEMBERED_S) < PUBLISHED_AHEAD


def test_two_rotations_in_a_row_leave_one_key_that_signs_at_any_time(
    world: World, client: ClientCredentials, clock: Clock
) -> None:
    kids = [world.all(SigningKey)[0].kid, rotate(world).kid]
    clock.pass_by(minutes=3)
    kids.append(rotate(world).kid)

    signed = []
    for _ in range(15):
        forget_keys(world)
        signed.append(kids.index(issue(world, client)[1]))
        clock.pass_by(minutes=1)

    assert signed == sorted(signed)
    assert set(signed) == {0, 1, 2}


def test_a_key_can_take_over_at_once(world: World, client: ClientCredentials, clock: Clock) -> None:
    before = Server(world, clock)
    old = issue(world, client)[0]
    new = rotate(world, at_once=True).kid
    forget_keys(world)

    token, kid = issue(world, client)

    assert kid == new
    assert before.accepts(token)
    assert before.accepts(old)


def test_a_revoked_key_and_its_tokens_are_refused_and_a_new_one_signs_at_once(
    world: World, client: ClientCredentials, clock: Clock
) -> None:
    server = Server(world, clock)
    token, stolen = issue(world, client)
    assert server.accepts(token)

    successor = revoke(world, stolen)
    forget_keys(world)

    assert not server.accepts(token)
    fresh, kid = issue(world, client)
    assert successor is not None
    assert kid == successor.kid != stolen
    assert server.accepts(fresh)
    assert server.published() == {kid}


def test_the_next_key_signs_as_soon_as_the_present_one_is_revoked(
    world: World, client: ClientCredentials, clock: Clock
) -> None:
    present = world.all(SigningKey)[0].kid
    coming = rotate(world, SigningAlgorithm.RS256).kid

    successor = revoke(world, present)
    forget_keys(world)

    assert successor is not None
    assert successor.kid == coming == issue(world, client)[1]
    assert len(world.all(SigningKey)) == 2


def test_the_present_key_goes_on_where_the_one_that_was_to_follow_it_is_revoked(
    world: World, client: ClientCredentials, clock: Clock
) -> None:
    present = world.all(SigningKey)[0].kid
    coming = rotate(world).kid

    assert revoke(world, coming) is None
    forget_keys(world)
    clock.pass_by(minutes=11)

    token, kid = issue(world, client)
    assert kid == present
    assert Server(world, clock).accepts(token)
    assert Server(world, clock).published() == {present}


def test_a_key_that_no_longer_signs_is_revoked_without_another(
    world: World, client: ClientCredentials, clock: Clock
) -> None:
    token, old = issue(world, client)
    new = rotate(world, at_once=True).kid
    server = Server(world, clock)
    assert server.accepts(token)

    assert revoke(world, old) is None

    assert not server.accepts(token)
    assert server.published() == {new}
    with pytest.raises(NotFound):
        revoke(world, "nobody's")


def revoke(world: World, kid: str) -> SigningKey | None:
    with world.app.app_context():
        return revoke_signing_key(kid, world.dependencies)


def test_rs256_signs_after_eddsa_and_both_are_good(
    world: World, client: ClientCredentials, clock: Clock
) -> None:
    edwards = issue(world, client)[0]
    rotate(world, SigningAlgorithm.RS256, at_once=True)
    forget_keys(world)

    rsa = issue(world, client)[0]

    assert extract_compact(rsa.encode()).headers()["alg"] == "RS256"
    server = Server(world, clock)
    assert server.accepts(rsa)
    assert server.accepts(edwards)


def test_a_seed_makes_a_key_only_where_there_is_none(world: World) -> None:
    def seed() -> SigningKey:
        with world.app.app_context():
            return ensure_signing_key(world.dependencies)

    first = world.all(SigningKey)[0]
    assert seed().kid == first.kid
    assert len(world.all(SigningKey)) == 1

    def lose(session: Session) -> None:
        session.execute(delete(SigningKey))

    world.change(lose)
    assert seed().kid != first.kid
    assert len(world.all(SigningKey)) == 1


def test_a_key_that_was_sealed_with_another_secret_signs_nothing_until_a_new_one_takes_over(
    world: World, client: ClientCredentials
) -> None:
    other = AccessTokens(KeyRing(KeySealer(b"changed")), world.config.public_base_url)
    world.app.extensions["payment-service"] = replace(world.dependencies, tokens=other)

    assert ask_token(world, client).status_code == 503
    rotate(world, at_once=True)
    forget_keys(world)

    assert ask_token(world, client).status_code == 200
