"""Access tokens: JWT as in RFC 9068, signed by the key ring's present key."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jws import JWSRegistry, extract_compact
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry
from sqlalchemy.orm import Session

from payment_service.domain.access.api_clients import ClientRecord
from payment_service.domain.access.signing_keys import LEEWAY, TOKEN_LIFETIME, KeyRing, RingKey
from payment_service.errors import AccessTokenInvalid
from payment_service.values.scopes import Scope, SigningAlgorithm, write_scopes

_TYPES = frozenset({"at+jwt", "application/at+jwt"})
_TEXT_CLAIMS = ("client_id", "merchant_id", "scope")


class PinnedAlgorithm(JWSRegistry):
    """Knows one algorithm, the key's own: what the token's header asks for decides nothing."""

    def __init__(self, algorithm: SigningAlgorithm) -> None:
        super().__init__(algorithms=[algorithm.value])
        only = copy(JWSRegistry.algorithms[algorithm.value])
        # The library warns of the name EdDSA (RFC 9864 has a newer one), which gateways need.
        only.security_warning = None
        self.algorithms = {algorithm.value: only}


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a token that we signed says."""

    client_id: str
    merchant_id: str
    scopes: frozenset[str]


class AccessTokens:
    """Signs tokens for API clients, and checks those that come back."""

    def __init__(self, ring: KeyRing, issuer: str) -> None:
        self.ring = ring
        self.issuer = issuer
        self.audience = f"{issuer}/v1"

    def issue(
        self, session: Session, client: ClientRecord, scopes: Iterable[Scope], *, jti: str, now: datetime
    ) -> str:
        """Return a signed token for ``client`` that ends after ``TOKEN_LIFETIME``.

        Raises:
            SigningKeyMissing, SigningKeyUnreadable: see :meth:`KeyRing.signing_key`.
        """
        key, private = self.ring.signing_key(session, now)
        issued_at = int(now.timestamp())
        claims = {
            "iss": self.issuer,
            "sub": client.client_id,
            "aud": self.audience,
            "iat": issued_at,
            "exp": issued_at + int(TOKEN_LIFETIME.total_seconds()),
            "jti": jti,
            "client_id": client.client_id,
            "merchant_id": client.merchant_public_id,
            "scope": write_scopes(scopes),
        }
        header = {"typ": "at+jwt", "alg": key.algorithm.value, "kid": key.kid}
        return jwt.encode(header, claims, private, registry=PinnedAlgorithm(key.algorithm))

    def verify(self, session: Session, token: str, now: datetime) -> VerifiedToken:
        """Return what the token says, if it is ours and in force (RFC 9068, section 4).

        Raises:
            AccessTokenInvalid: it is not; the message says no more than a client needs.
        """
        try:
            key = self._key_of(session, token, now)
            claims = jwt.decode(token, key.public, registry=PinnedAlgorithm(key.algorithm)).claims
            self._required(now).validate(claims)
        except ExpiredTokenError as exc:
            raise AccessTokenInvalid("The access token has expired.") from exc
        # A token is made of any bytes: the library lets some errors of its parsers through.
        except (JoseError, ValueError, TypeError, RecursionError) as exc:
            raise AccessTokenInvalid from exc
        if not all(isinstance(claims[name], str) for name in _TEXT_CLAIMS):
            raise AccessTokenInvalid
        return VerifiedToken(
            claims["client_id"], claims["merchant_id"], frozenset(claims["scope"].split(" "))
        )

    def _key_of(self, session: Session, token: str, now: datetime) -> RingKey:
        header: dict[str, Any] = extract_compact(token.encode("ascii")).headers()
        kid, kind = header.get("kid"), header.get("typ")
        if not isinstance(kind, str) or kind.lower() not in _TYPES or not isinstance(kid, str):
            raise AccessTokenInvalid
        key = self.ring.find(session, kid, now)
        if key is None:
            raise AccessTokenInvalid
        return key

    def _required(self, now: datetime) -> JWTClaimsRegistry:
        must_be_there: ClaimsOption = {"essential": True}
        return JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=int(LEEWAY.total_seconds()),
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            **dict.fromkeys(("exp", "iat", "sub", "jti", *_TEXT_CLAIMS), must_be_there),
        )
