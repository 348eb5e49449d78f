"""What a call may cost in time when its dependency is slow."""

import threading

import pytest
from service_kit.web.http_client import Dependency, HttpClient, TooManyCalls


def test_the_wait_for_a_free_place_is_part_of_the_calls_time() -> None:
    client = HttpClient(
        Dependency("refusing", "http://127.0.0.1:1", timeout_s=0.2, max_concurrent=1, max_wait_s=30.0)
    )
    places = client._places
    places.acquire()
    # By then this call's own time is over; had it gone on waiting, it would have been refused a connection.
    freed_late = threading.Timer(1.0, places.release)
    freed_late.start()

    with pytest.raises(TooManyCalls):
        client.get("/")

    freed_late.join()
