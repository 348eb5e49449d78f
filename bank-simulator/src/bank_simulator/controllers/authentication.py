"""The token by which a merchant's side is known to the network."""

import hmac

from flask import request
from werkzeug.exceptions import Unauthorized

from bank_simulator.controllers.delivery import config


def require_bank_token() -> None:
    """Refuse a request without ``Authorization: Bearer <BANK_TOKEN>``.

    It asks for the token at each request, so that several applications can share the blueprints.
    """
    inputs = request.headers.get("Authorization", "")
    if not hmac.compare_digest(inputs.encode(), f"Bearer {config().bank_token}".encode()):
        raise Unauthorized("This needs the bank's token.")
