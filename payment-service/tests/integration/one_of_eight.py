"""One process of the eight-way test: pays the payments that its standard input names, and says the status."""

import sys

from payment_service.app import create_app
from payment_service.testing.cards import CARD


def main() -> None:
    client = create_app().test_client()
    client.get("/payments/1")  # everything is imported and connected before the race
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        response = client.post(f"/payments/process/{line.strip()}", json=dict(CARD))
        sys.stdout.write(f"answer {response.status_code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
