import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notification_service.values.email_address import check_pattern, lab_address
from service_kit.email_addresses import AddressNotUsable

PATTERN = "user-{user_id}@shop.example"


@pytest.mark.parametrize(
    ("user_id", "address"),
    [
        ("1", "user-1@shop.example"),
        ("a.b_c-d", "user-a.b_c-d@shop.example"),
        ("1@evil.example", "user-1_evil.example@shop.example"),
        ("é\r\nBcc: x", "user-___Bcc__x@shop.example"),
        ("{user_id}", "user-_user_id_@shop.example"),
        ("a..b.", "user-a__b_@shop.example"),
    ],
)
def test_a_lab_user_gets_a_harmless_address(user_id: str, address: str) -> None:
    assert lab_address(PATTERN, user_id) == address


@given(st.text(min_size=1, max_size=64))
def test_no_user_id_leaves_the_pattern(user_id: str) -> None:
    assert re.fullmatch(r"user-[A-Za-z0-9._-]+@shop\.example", lab_address(PATTERN, user_id))


@pytest.mark.parametrize(
    "pattern", ["{name}@shop.example", "user-{user_id!r}@shop.example", "nobody", "{user_id}"]
)
def test_unusable_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(AddressNotUsable):
        check_pattern(pattern)
