"""What a call may cost in time when its dependency is slow."""

import pytest
from service_kit.web.http_client import Dependency, HttpClient, TooManyCalls


def test_the_wait_for_a_free_place_is_part_of_the_calls_time() -> None:
    client = HttpClient(
        # Whoever waited longer than the call may take would wait here until the test is ended.
        Dependency("refusing", "http://127.0.0.1:1", timeout_s=0.2, max_concurrent=1, max_wait_s=3600.0)
    )
    client._places.acquire()

    with pytest.raises(TooManyCalls):
        client.get("/")
