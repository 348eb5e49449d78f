"""Where a payer may be sent: nowhere that hides what it is."""

import pytest
from marshmallow import ValidationError
from payment_service.schemas.v1.return_url import check_return_url


@pytest.mark.parametrize(
    "text",
    [
        "https://shop.example",
        "https://www.shop.example:8443/back?order=7&x=%C3%A9#top",
        "https://xn--caf-dma.example/",
        "https://SHOP.example/",
        "http://localhost:3000/back",
        "http://127.0.0.1:9/back",
        "http://[::1]:9/back",
    ],
)
def test_a_shops_own_address_passes(text: str) -> None:
    check_return_url(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://shop.example/", "https"),
        ("javascript:alert(1)", "https"),
        ("//shop.example/", "https"),
        ("shop.example", "https"),
        ("https://zoe:secret@shop.example/", "no user name"),
        ("https://shop.example@evil.example/", "no user name"),
        ("https://169.254.169.254/latest/meta-data", "a host"),
        ("https://[fd00:ec2::254]/", "a host"),
        ("https://2852039166/", "a host"),
        ("https://0xa9fea9fe/", "a host"),
        ("https://metadata/", "a host"),
        ("https://", "a host"),
        ("https://shop.example:99999/", "not an address"),
        ("https://[::1", "not an address"),
        ("https://shop.example/\u202ecod.exe", "ASCII"),
        ("https://sh\u043ep.example/", "ASCII"),
        ("https://shop.example\\@evil.example/", "ASCII"),
        ("https://shop.example/a b", "ASCII"),
        ("https://shop.example/\r\nX: y", "ASCII"),
    ],
)
def test_an_address_that_hides_something_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        check_return_url(text)
