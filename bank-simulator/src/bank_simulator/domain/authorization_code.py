"""The code by which an issuer's approval is known."""

import secrets


def new_authorization_code() -> str:
    """Return six characters such as an issuer gives."""
    return secrets.token_hex(3).upper()
