"""One process that refunds a payment from many threads at once, and says the statuses."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from payment_service.app import create_app


def main() -> None:
    app = create_app()
    app.test_client().get("/payments/1")  # everything is imported and connected before the race
    order = json.loads(sys.stdin.read())

    def refund(number: int) -> int:
        headers = {**order["headers"], "Idempotency-Key": f"refunder-{sys.argv[1]}-{number}"}
        body = {"payment": order["payment"], "amount": order["amount"]}
        return app.test_client().post("/v1/refunds", json=body, headers=headers).status_code

    with ThreadPoolExecutor(12) as threads:
        statuses = list(threads.map(refund, range(order["count"])))
    # Only now: the threads' log lines go the same way, and two writers at once share a line.
    sys.stdout.writelines(f"answer {status}\n" for status in statuses)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
