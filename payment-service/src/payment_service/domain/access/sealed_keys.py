"""Private signing keys as they are stored: AES-256-GCM under a key that is not in the database."""

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import Key, OKPKey, RSAKey, import_key

from payment_service.errors import SigningKeyUnreadable
from payment_service.models.merchants.signing_key import SigningKey
from payment_service.values.signing_algorithm import SigningAlgorithm

_NONCE_BYTES = 12
_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class NewKeyPair:
    """A key pair that is not stored yet."""

    kid: str
    algorithm: SigningAlgorithm
    public_jwk: str
    sealed_private_jwk: str

    def row(self, created_at: datetime, activated_at: datetime) -> SigningKey:
        """Return the row that stores it."""
        return SigningKey(
            kid=self.kid,
            algorithm=self.algorithm,
            public_jwk=self.public_jwk,
            sealed_private_jwk=self.sealed_private_jwk,
            created_at=created_at,
            activated_at=activated_at,
        )


class KeySealer:
    """Encrypts private keys; the setting may be any text, its 256-bit key comes from HKDF-SHA256."""

    def __init__(self, secret: bytes) -> None:
        derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"caisse signing keys")
        self._cipher = AESGCM(derivation.derive(secret))

    def generate(self, algorithm: SigningAlgorithm) -> NewKeyPair:
        """Make a key pair, named by the hash of its public half (RFC 7638)."""
        key: Key = (
            OKPKey.generate_key("Ed25519")
            if algorithm is SigningAlgorithm.EDDSA
            else RSAKey.generate_key(_RSA_BITS)
        )
        kid = key.thumbprint()
        public = {**key.as_dict(private=False), "kid": kid, "alg": algorithm.value, "use": "sig"}
        return NewKeyPair(
            kid, algorithm, json.dumps(public), self._seal(kid, json.dumps(key.as_dict(private=True)))
        )

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
