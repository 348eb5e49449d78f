"""Under which values an attempt is looked up and counted."""

import pytest
from fraud_service.errors import InvalidListValue
from fraud_service.values.attempt import Attempt, Card
from fraud_service.values.subjects import ip_subject, list_value, subject_values
from fraud_service.values.vocabulary import Subject


def attempt(client_ip: str | None) -> Attempt:
    card = Card(fingerprint="ab" * 32, bin="400000", last4="0002")
    return Attempt("att_1", "pay_1", "mer_1", 100, "MAD", card, "1", "1", client_ip)


def test_a_user_belongs_to_a_merchant() -> None:
    assert subject_values(attempt("203.0.113.7")) == {
        Subject.CARD_FINGERPRINT: "ab" * 32,
        Subject.BIN: "400000",
        Subject.USER: "mer_1/1",
        Subject.IP: "203.0.113.7",
    }


def test_without_a_trusted_address_nothing_is_looked_up_under_ip() -> None:
    assert Subject.IP not in subject_values(attempt(None))


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:0:0:0:1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ],
)
def test_an_ipv6_customer_is_a_64_network(address: str, subject: str) -> None:
    assert ip_subject(address) == subject


@pytest.mark.parametrize(
    ("subject", "text", "value"),
    [
        (Subject.BIN, "999999", "999999"),
        (Subject.CARD_FINGERPRINT, "0f" * 32, "0f" * 32),
        (Subject.USER, "mer_1/a/b é", "mer_1/a/b é"),
        (Subject.IP, "2001:db8::1", "2001:db8::/64"),
        (Subject.IP, "2001:db8::/64", "2001:db8::/64"),
    ],
)
def test_a_list_holds_values_as_attempts_are_looked_up(subject: Subject, text: str, value: str) -> None:
    assert list_value(subject, text) == value


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (Subject.BIN, "99999"),
        (Subject.BIN, "999999\n"),
        (Subject.BIN, "٩٩٩٩٩٩"),
        (Subject.CARD_FINGERPRINT, "0F" * 32),
        (Subject.USER, "1"),
        (Subject.USER, "mer_1/"),
        (Subject.IP, "example.com"),
        (Subject.IP, "203.0.113.0/24"),
    ],
)
def test_what_no_attempt_could_match_is_refused(subject: Subject, text: str) -> None:
    with pytest.raises(InvalidListValue):
        list_value(subject, text)
