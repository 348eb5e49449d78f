"""The signing keys in force: which one signs, which are published, decided by the time alone."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import Key, OKPKey, RSAKey, import_key
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from payment_service.errors import SigningKeyMissing, SigningKeyUnreadable
from payment_service.models.merchant import SigningKey
from payment_service.values.scopes import SigningAlgorithm

TOKEN_LIFETIME = timedelta(minutes=15)
# Clocks of two servers may differ by this much.
LEEWAY = timedelta(seconds=10)
# How long others may keep the published keys, and how long before its first use a new one is published:
# whoever keeps them meets no token that is signed by a key they have not seen.
JWKS_KEPT = timedelta(minutes=5)
PUBLISHED_AHEAD = timedelta(minutes=10)
# A key that is revoked is refused, and a new one known, after so long: a kid that is made up costs no query.
REMEMBERED_S = 5.0


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key pair, free of any session; the private half is still sealed."""

    kid: str
    algorithm: SigningAlgorithm
    public_jwk: dict[str, Any]
    public: Key
    sealed: str
    activated_at: datetime
    retired_at: datetime | None

    @classmethod
    def of(cls, row: SigningKey) -> "RingKey":
        jwk: dict[str, Any] = json.loads(row.public_jwk)
        return cls(
            kid=row.kid,
            algorithm=SigningAlgorithm(row.algorithm),
            public_jwk=jwk,
            public=import_key(jwk),
            sealed=row.sealed_private_jwk,
            activated_at=row.activated_at,
            retired_at=row.retired_at,
        )

    def signs(self, now: datetime) -> bool:
        """Whether new tokens may be signed with it."""
        return self.activated_at <= now and (self.retired_at is None or now < self.retired_at)

    def is_published(self, now: datetime) -> bool:
        """Whether a token signed with it can still be valid, or soon will be."""
        return self.retired_at is None or now < self.retired_at + TOKEN_LIFETIME + LEEWAY


class KeySealer:
    """Encrypts private keys; the setting may be any text, its 256-bit key comes from HKDF-SHA256."""

    def __init__(self, secret: bytes) -> None:
        derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"caisse signing keys")
        self._cipher = AESGCM(derivation.derive(secret))

    def generate(self, algorithm: SigningAlgorithm) -> dict[str, str]:
        """Make a key pair, named by the hash of its public half (RFC 7638); return its columns."""
        key: Key = (
            OKPKey.generate_key("Ed25519")
            if algorithm is SigningAlgorithm.EDDSA
            else RSAKey.generate_key(_RSA_BITS)
        )
        kid = key.thumbprint()
        public = {**key.as_dict(private=False), "kid": kid, "alg": algorithm.value, "use": "sig"}
        return {
            "kid": kid,
            "algorithm": algorithm,
            "public_jwk": json.dumps(public),
            "sealed_private_jwk": self._seal(kid, json.dumps(key.as_dict(private=True))),
        }

    def open(self, kid: str, sealed: str) -> Key:
        """Return the private key.

        Raises:
            SigningKeyUnreadable: it was sealed under another key, or for another kid, or was changed.
        """
        raw = base64.b64decode(sealed)
        try:
            text = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], kid.encode())
        except InvalidTag as exc:
            raise SigningKeyUnreadable(kid) from exc
        document: dict[str, Any] = json.loads(text)
        return import_key(document)

    def _seal(self, kid: str, text: str) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), kid.encode())).decode()


class KeyRing:
    """Reads the keys and remembers them; a rotation is seen well before its new key signs."""

    def __init__(self, sealer: KeySealer) -> None:
        self.sealer = sealer
        self._lock = threading.Lock()
        self._keys: Sequence[RingKey] = ()
        self._read_at_s = float("-inf")
        self._opened: dict[str, Key] = {}

    def published(self, session: Session, now: datetime) -> list[dict[str, Any]]:
        """Return the public keys (RFC 7517) that others need, the newest first."""
        keys = self._remembered(session, REMEMBERED_S, now)
        return [key.public_jwk for key in keys if key.is_published(now)]

    def find(self, session: Session, kid: str, now: datetime) -> RingKey | None:
        keys = self._remembered(session, REMEMBERED_S, now)
        return next((key for key in keys if key.kid == kid and key.is_published(now)), None)

    def signing_key(self, session: Session, now: datetime) -> tuple[RingKey, Key]:
        """Return the key that signs now, with its private half.

        Raises:
            SigningKeyMissing: none was made yet.
            SigningKeyUnreadable: it was sealed under another key than ours.
        """
        for age_s in (REMEMBERED_S, 0.0):
            for key in self._remembered(session, age_s, now):
                if key.signs(now):
                    return key, self._open(key)
        raise SigningKeyMissing

    def _open(self, key: RingKey) -> Key:
        with self._lock:
            if key.kid not in self._opened:
                self._opened = {key.kid: self.sealer.open(key.kid, key.sealed)}
            return self._opened[key.kid]

    def _remembered(self, session: Session, age_s: float, now: datetime) -> Sequence[RingKey]:
        with self._lock:
            if time.monotonic() - self._read_at_s < age_s:
                return self._keys
        statement = (
            select(SigningKey)
            .where(
                or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > now - TOKEN_LIFETIME - LEEWAY)
            )
            .order_by(SigningKey.activated_at.desc(), SigningKey.id.desc())
        )
        keys = tuple(RingKey.of(row) for row in session.scalars(statement))
        with self._lock:
            self._keys, self._read_at_s = keys, time.monotonic()
        return keys


_NONCE_BYTES = 12
_RSA_BITS = 2048
