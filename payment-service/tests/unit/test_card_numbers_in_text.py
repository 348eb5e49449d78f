"""What is a card number in a free text, and what only looks like one."""

import pytest
from payment_service.values.cards import CardData, holds_card, holds_card_number
from service_kit.card_checks import check_digit


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "card 4111 1111 1111 1111 of Zoe",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111 123",
        "12/30 4111 1111 1111 1111",
        "x4111111111111111y",
        "4111111111111111@example.com",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "30569309025904",
        "3530111333300000",
        "6011111111111117",
        "6205500000000000004",
        "9999999999999",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    ],
)
def test_a_card_number_is_found(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "order 17",
        "4111111111111112",
        "1764212345678",
        "9" + "12345678901" + check_digit("912345678901"),
        "0612345678 0698765432",
        "2026-11-27 2026-11-28",
        "7992739871320267" + check_digit("7992739871320267"),
        "41111111111111111111",
        "FR76 3000 6000 0112 3456 7890 189",
    ],
)
def test_orders_phones_dates_and_accounts_are_none(text: str) -> None:
    assert not holds_card_number(text)


def test_few_order_numbers_are_taken_for_cards() -> None:
    """A bare check digit would refuse a tenth of them."""
    numbers = [str(1_764_212_345_678 + 977 * step) for step in range(2000)]

    assert [number for number in numbers if holds_card_number(number)] == []


def test_the_card_that_pays_is_found_whatever_it_is() -> None:
    card = CardData("501800000009", 12, 2030)

    assert holds_card("was 5018 0000 0009", card)
    assert not holds_card("was 5018 0000 0008", card)
