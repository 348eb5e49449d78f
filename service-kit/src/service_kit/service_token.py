"""The token by which our services know one another on ``/internal/*``."""

import hmac

from flask import Blueprint, request
from werkzeug.exceptions import Unauthorized


def require_service_token(blueprint: Blueprint, token: str) -> None:
    """Refuse every request to ``blueprint`` that does not carry ``Authorization: Bearer <token>``."""
    if not token:
        raise ValueError("An empty service token would let everybody in.")
    expected = f"Bearer {token}".encode()

    def check() -> None:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            raise Unauthorized("This needs the service token.")

    blueprint.before_request(check)
