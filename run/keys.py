"""The secrets of a run's data: drawn for a folder that has none yet, and kept for as long as it has any.

Published ones would let whoever can read a copy of the data open it: unwrap the signing keys and the cards,
guess card numbers by their fingerprints, forge events and their seals.
"""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from run.settings import RunSettings

# BANK_TOKEN stays the published one: it opens no data but the simulated bank's, and the collections send it.
KEYS_OF: Mapping[str, tuple[str, ...]] = {
    "payment-service": (
        "SERVICE_TOKEN",
        "BANK_WEBHOOK_SECRETS",
        "CARD_FINGERPRINT_KEY",
        "EVENT_KEY",
        "TOKEN_KEY_ENCRYPTION_KEY",
        "CLIENT_SECRET_KEY",
        "VAULT_KEYS",
    ),
    "fraud-service": ("SERVICE_TOKEN",),
    "notification-service": ("SERVICE_TOKEN",),
    "bank-simulator": ("BANK_WEBHOOK_SECRET", "BANK_CARD_KEY"),
}
_HEAD = """\
# The secrets of the data in this folder, drawn at its first start. Without them the data is of no use.
# For a command of a service: set -a; . THIS_FILE; set +a
"""


def keep_keys(settings: RunSettings) -> bool:
    """Draw keys for a folder without data; one that has some keeps what it has, be it the published ones.

    Return whether the folder has keys of its own.
    """
    if settings.keys_file.exists():
        return True
    if any(settings.database(service).exists() for service in KEYS_OF):
        return False
    lines = "".join(f"{name}={value}\n" for name, value in _draw().items())
    _write_whole(settings.keys_file, _HEAD + lines)
    return True


def read_keys(settings: RunSettings, service: str) -> dict[str, str]:
    """Return what the folder's file holds for ``service``; nothing where the published ones hold."""
    if not settings.keys_file.exists():
        return {}
    lines = (line.partition("=") for line in settings.keys_file.read_text().splitlines())
    return {name: value for name, _, value in lines if name in KEYS_OF[service]}


def _draw() -> dict[str, str]:
    special: dict[str, Callable[[], str]] = {"VAULT_KEYS": lambda: f"1:{_base64()}"}
    names = dict.fromkeys(name for names in KEYS_OF.values() for name in names)
    keys = {name: special.get(name, secrets.token_urlsafe)() for name in names}
    # The bank signs with the one, payment-service verifies with the other.
    keys["BANK_WEBHOOK_SECRET"] = keys["BANK_WEBHOOK_SECRETS"] = f"whsec_{_base64()}"
    return keys


def _base64() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _write_whole(file: Path, text: str) -> None:
    """Write a file that is there whole or not at all, even after a power cut: data is made under it next."""
    half = file.with_suffix(".half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    half.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
