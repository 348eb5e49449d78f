from pathlib import Path

from bank_simulator.cli import card_table
from bank_simulator.domain.issuing import issuer_of
from bank_simulator.values.card_data import CardData
from bank_simulator.values.issued_cards import TEST_CARDS, bench_cards
from bank_simulator.values.vocabulary import Bank, CardBehaviour


def test_every_test_card_is_routed_to_the_bank_that_issued_it() -> None:
    for card in [*TEST_CARDS, *bench_cards()]:
        assert issuer_of(card.number) == card.bank, card.number


def test_numbers_are_unique_and_every_client_bank_has_issued_some() -> None:
    cards = [*TEST_CARDS, *bench_cards()]

    assert len({card.number for card in cards}) == len(cards) == len(TEST_CARDS) + 1000
    assert {card.bank for card in TEST_CARDS} == {Bank.CIH, Bank.ATTIJARIWAFA, Bank.BMCE}


def test_every_manner_has_a_test_card() -> None:
    assert {card.behaviour for card in TEST_CARDS} == set(CardBehaviour)


def test_the_readme_shows_the_table_as_it_is() -> None:
    readme = Path(__file__).parents[2] / "README.md"

    assert card_table(TEST_CARDS) in readme.read_text()


def test_nobody_issues_an_unknown_bin_or_a_wrong_check_digit() -> None:
    assert issuer_of("6011000990139424") is None
    assert issuer_of("4000100000000019") is None


def test_a_printed_card_shows_neither_number_nor_cvv() -> None:
    printed = repr(CardData("4000100000000018", 1, 2030, "737"))

    assert "4000100000000018" not in printed
    assert "737" not in printed
