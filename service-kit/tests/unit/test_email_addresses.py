"""One rule for e-mail addresses, wherever one is taken."""

import pytest
from service_kit.email_addresses import AddressNotUsable, email_address


@pytest.mark.parametrize(
    ("given_address", "address"),
    [
        ("payer@example.org", "payer@example.org"),
        ("First.Last+tag@sub.example.org", "First.Last+tag@sub.example.org"),
        ("o'neil@example.org", "o'neil@example.org"),
        ("payer@épicerie.example", "payer@xn--picerie-9xa.example"),
        ("user@faß.de", "user@xn--fa-hia.de"),
        ("user@EXAMPLE.org", "user@example.org"),
    ],
)
def test_usable_addresses_are_taken(given_address: str, address: str) -> None:
    assert email_address(given_address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "payer",
        "@example.org",
        "payer@",
        "payer@example.org\r\nBcc: x@example.org",
        "payer@example.org\n",
        "a b@example.org",
        "payer@exa mple.org",
        "a@b@example.org",
        ".payer@example.org",
        "payer.@example.org",
        "a..b@example.org",
        "payer@-example.org",
        "payer@example..org",
        "payer@[127.0.0.1]",
        "<payer@example.org>",
        "payer@example.org,other@example.org",
        "pâyer@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b." * 130 + "org",
        "a\x00@example.org",
        "ü@example.com",
        '"x"@example.com',
        "\u0430@example.com",
        "user@exa\u200bmple.com",
        "user@shop.invalid",
        "root@localhost",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(AddressNotUsable):
        email_address(address)
