"""The test client, as the tests see it."""

from typing import Any, Protocol

from werkzeug.datastructures import Headers


class Answer(Protocol):
    """A response of the test client; its JSON is there, as the tests say."""

    status_code: int
    content_type: str
    mimetype: str
    headers: Headers
    text: str
    json: Any


class Client(Protocol):
    """The test client, as far as the tests use it."""

    def open(self, *args: Any, **kwargs: Any) -> Answer:
        """Send a request."""
        ...

    def get(self, *args: Any, **kwargs: Any) -> Answer:
        """Send a GET."""
        ...

    def post(self, *args: Any, **kwargs: Any) -> Answer:
        """Send a POST."""
        ...
