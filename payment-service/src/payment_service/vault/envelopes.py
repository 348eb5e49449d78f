"""Envelope encryption: every record has a data key of its own, which a key-encryption key wraps.

To change the key-encryption key only the small data keys are wrapped again; what they encrypt stays as it is.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
# NIST SP 800-38D: 96 bits. Random ones are safe for 2^32 uses of a key; a data key has one use.
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed text and its wrapped data key, both base64 of nonce and ciphertext, and which key wraps."""

    key_id: str
    wrapped_key: str
    sealed: str


class EnvelopeKeys:
    """The key-encryption keys by id (32 bytes each): the first wraps, all of them unwrap.

    ``context`` says whose record it is. It is authenticated, not stored: an envelope that was moved to
    another record cannot be opened there.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.sealing_id = next(iter(keys))

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the one that seals first."""
        return tuple(self._ciphers)

    def seal(self, text: bytes, context: str) -> Envelope:
        data_key = secrets.token_bytes(KEY_BYTES)
        return self._wrap(data_key, _encrypt(AESGCM(data_key), text, _record(context)), context)

    def open(self, envelope: Envelope, context: str) -> bytes:
        """Return the text.

        Raises:
            KeyError: we do not have the key that wrapped it.
            cryptography.exceptions.InvalidTag: it was changed, or belongs to another context.
        """
        return _decrypt(AESGCM(self._unwrap(envelope, context)), envelope.sealed, _record(context))

    def rewrap(self, envelope: Envelope, context: str) -> Envelope:
        """Wrap the data key with the key that seals now. Raises like :meth:`open`."""
        return self._wrap(self._unwrap(envelope, context), envelope.sealed, context)

    def _wrap(self, data_key: bytes, sealed: str, context: str) -> Envelope:
        key_id = self.sealing_id
        return Envelope(key_id, _encrypt(self._ciphers[key_id], data_key, _key(key_id, context)), sealed)

    def _unwrap(self, envelope: Envelope, context: str) -> bytes:
        cipher = self._ciphers[envelope.key_id]
        return _decrypt(cipher, envelope.wrapped_key, _key(envelope.key_id, context))


def _record(context: str) -> bytes:
    return f"caisse vault record 1\n{context}".encode()


def _key(key_id: str, context: str) -> bytes:
    return f"caisse vault key 1\n{key_id}\n{context}".encode()


def _encrypt(cipher: AESGCM, text: bytes, associated: bytes) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b64encode(nonce + cipher.encrypt(nonce, text, associated)).decode()


def _decrypt(cipher: AESGCM, sealed: str, associated: bytes) -> bytes:
    raw = base64.b64decode(sealed)
    return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], associated)
