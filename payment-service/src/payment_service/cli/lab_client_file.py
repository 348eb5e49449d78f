"""The file in which a desk keeps the lab's credentials, for collections and scripts."""

import json
import os
import tempfile
from pathlib import Path

import click

from payment_service.commands.access.create_api_client import ClientCredentials
from payment_service.commands.access.ensure_lab_client import ensure_lab_client
from payment_service.commands.dependencies import Dependencies


def keep_lab_client(file: Path, dependencies: Dependencies) -> None:
    """Leave credentials that work in ``file``: those that are there, or new ones in their place."""
    held = _read_credentials(file)
    credentials = ensure_lab_client(held, dependencies)
    token_url = f"{dependencies.config.public_base_url}/oauth2/token"
    _write_credentials(file, credentials, token_url)
    click.echo(
        f"Kept the credentials in {file}." if credentials == held else f"Wrote new credentials to {file}."
    )


def _read_credentials(file: Path) -> ClientCredentials | None:
    """Return what the file holds, or None where it is missing or is none of ours."""
    try:
        document = json.loads(file.read_text())
        client_id, client_secret = document["client_id"], document["client_secret"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(client_id, str) or not isinstance(client_secret, str):
        return None
    return ClientCredentials(client_id, client_secret)


def _write_credentials(file: Path, credentials: ClientCredentials, token_url: str) -> None:
    """Replace the file whole: nobody reads half of it, and nobody else may read it at any moment."""
    document = {
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "token_url": token_url,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes it readable by its owner only (0600), and the name does not exist before.
    descriptor, half = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w") as opened:
            opened.write(json.dumps(document, indent=2) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        Path(half).replace(file)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise
