"""A merchant's program, as the journeys use it."""

from base64 import b64encode
from typing import Any

from tests.surface.player import Answer, Player

PAYMENT = {"amount": 19999, "currency": "MAD"}
FULL = {
    **PAYMENT,
    "order_id": "order-7",
    "capture_method": "automatic",
    "description": "Two lamps",
    "metadata": {"basket": "7", "é": "à"},
    "return_url": "https://shop.example/back?order=7",
    "customer": {
        "id": "c-7",
        "name": "Amina",
        "email": "amina@shop.example",
        "phone": "+212600000000",
        "locale": "en",
    },
    "line_items": [
        {"name": "Lamp", "quantity": 2, "unit_amount": 9000, "tax_amount": 1999, "tax_rate": "20"}
    ],
}


class Api:
    """A merchant's program: sends its token with every request, and a key of its own with every POST."""

    def __init__(self, player: Player, token: str) -> None:
        self._player = player
        self.bearer = {"Authorization": f"Bearer {token}"}

    def get(self, title: str, path: str, **options: Any) -> Answer:
        """GET a path of /v1."""
        return self._player.send(title, f"GET /v1/{path}", headers=self.bearer, **options)

    def post(self, title: str, path: str, body: Any = None, key: str | None = None, **options: Any) -> Answer:
        """POST to a path of /v1; a key comes twice only where the caller wants it."""
        headers = {**self.bearer, "Idempotency-Key": key or f"key-{self._player.count}"}
        return self._player.send(title, f"POST /v1/{path}", body, headers=headers, **options)

    def paid(self, title: str, number: str, **members: Any) -> Any:
        """Create a payment that is paid at once; return its id, whatever became of it."""
        answer = self.post(title, "payments", {**PAYMENT, "confirm": True, **card(number), **members})
        return (answer if answer.status < 300 else answer["payment"])["id"]

    def wait(self, path: str, text: str) -> None:
        """Wait until the answer has this in it."""
        self._player.wait(f"GET /v1/{path}", lambda answer: text in answer.text, self.bearer)

    def attempt(self, payment: str) -> str:
        """Return the id of a payment's attempt, as the bank knows it."""
        text = self._player.look(f"GET /v1/payments/{payment}/events", self.bearer).text
        return text[text.index("att_") :][:30]


def card(number: str, **members: Any) -> dict[str, Any]:
    """Return the member of a request that holds a card."""
    return {"card": {"number": number, "exp_month": 1, "exp_year": 2030, "cvc": "123", **members}}


def basic(client: str, secret: str) -> dict[str, str]:
    """Return the header of HTTP Basic."""
    return {"Authorization": "Basic " + b64encode(f"{client}:{secret}".encode()).decode()}
