"""The cards that the simulated banks have issued: the one table behind `seed`, `cards` and the README."""

from collections.abc import Iterator
from dataclasses import dataclass

from service_kit.card_checks import check_digit

from bank_simulator.values.vocabulary import Bank, CardBehaviour, CardholderCheck

# The lab's collections use it; it is the only number that may fail the check digit.
LAB_CARD = "9999999999999"
TYPED_EXPIRY = "2030-01"
TYPED_CVV = "123"
BENCH_PREFIX = "400030"
BENCH_CARDS = 1000


@dataclass(frozen=True, slots=True)
class TestCard:
    """A card as its bank knows it; a tester always types ``TYPED_EXPIRY`` and ``TYPED_CVV``.

    ``opening_minor`` is the deposit with which each of its accounts opens, None an overdraft without limit.
    """

    __test__ = False  # not a test class, whatever its name says

    number: str
    bank: Bank
    outcome: str
    opening_minor: int | None = None
    behaviour: CardBehaviour = CardBehaviour.NORMAL
    cardholder_check: CardholderCheck = CardholderCheck.RISK_BASED
    cvv: str = "123"
    exp_year: int = 2030
    exp_month: int = 1


TEST_CARDS = (
    TestCard(LAB_CARD, Bank.CIH, "approved (the lab's documented card; no check digit)"),
    TestCard("4000100000000018", Bank.CIH, "approved"),
    TestCard("5100100000000014", Bank.ATTIJARIWAFA, "approved"),
    TestCard("4000200000000016", Bank.BMCE, "approved"),
    TestCard("4000000000000010", Bank.CIH, "approved (CMI's Visa test card)"),
    TestCard("5453010000066100", Bank.ATTIJARIWAFA, "approved (CMI's MasterCard test card)"),
    TestCard("5191630100004896", Bank.BMCE, "approved (CMI's 3-D Secure MasterCard; no challenge here)"),
    TestCard("4242424242424242", Bank.BMCE, "approved (the number that everybody types)"),
    TestCard("4000100000000026", Bank.CIH, "approved until 500.00 are spent in each currency", 500_00),
    TestCard("4000100000000034", Bank.CIH, "declined: insufficient_funds", 0),
    TestCard("4000100000000042", Bank.CIH, "declined: lost_card", behaviour=CardBehaviour.LOST_CARD),
    TestCard("4000100000000059", Bank.CIH, "declined: stolen_card", behaviour=CardBehaviour.STOLEN_CARD),
    TestCard("5100100000000022", Bank.ATTIJARIWAFA, "declined: expired_card", exp_year=2025, exp_month=12),
    TestCard(
        "5100100000000030", Bank.ATTIJARIWAFA, "declined: do_not_honor", behaviour=CardBehaviour.DO_NOT_HONOR
    ),
    TestCard("5100100000000048", Bank.ATTIJARIWAFA, "declined: incorrect_cvc (its CVV is 321)", cvv="321"),
    TestCard(
        "5100100000000055", Bank.ATTIJARIWAFA, "declined: fraudulent", behaviour=CardBehaviour.FRAUDULENT
    ),
    TestCard(
        "4000200000000024",
        Bank.BMCE,
        "declined: issuer_unavailable (soft: another try may pass)",
        behaviour=CardBehaviour.ISSUER_UNAVAILABLE,
    ),
    TestCard(
        "4000200000000032", Bank.BMCE, "approved, the answer takes 8 s", behaviour=CardBehaviour.SLOW_ANSWER
    ),
    TestCard(
        "4000200000000040",
        Bank.BMCE,
        "approved, the connection drops instead of the first answer",
        behaviour=CardBehaviour.LOST_ANSWER,
    ),
    TestCard(
        "4000100000000067",
        Bank.CIH,
        "3-D Secure: frictionless, authenticated even where a challenge is required",
        cardholder_check=CardholderCheck.FRICTIONLESS,
    ),
    TestCard(
        "4000100000000075",
        Bank.CIH,
        "3-D Secure: always a challenge; authentication_required when the payer is absent",
        cardholder_check=CardholderCheck.CHALLENGE,
    ),
    TestCard(
        "5100100000000063",
        Bank.ATTIJARIWAFA,
        "3-D Secure: attempted (the bank does not take part), approved",
        cardholder_check=CardholderCheck.ATTEMPTED,
    ),
    TestCard(
        "5100100000000071",
        Bank.ATTIJARIWAFA,
        "3-D Secure: failed without a challenge, declined: authentication_failed",
        cardholder_check=CardholderCheck.FAILED,
    ),
    TestCard(
        "4000200000000057",
        Bank.BMCE,
        "3-D Secure: unavailable; approved at the merchant's risk, declined where it is required",
        cardholder_check=CardholderCheck.UNAVAILABLE,
    ),
    TestCard(
        "4000200000000065",
        Bank.BMCE,
        "pending, approved by the bank later",
        behaviour=CardBehaviour.SALE_APPROVED_LATER,
    ),
    TestCard(
        "4000200000000073",
        Bank.BMCE,
        "pending, declined by the bank later: do_not_honor",
        behaviour=CardBehaviour.SALE_DECLINED_LATER,
    ),
    TestCard(
        "4000100000000083",
        Bank.CIH,
        "approved; its refunds are pending and succeed later",
        behaviour=CardBehaviour.REFUND_APPROVED_LATER,
    ),
    TestCard(
        "4000100000000091",
        Bank.CIH,
        "approved; its refunds are pending and fail later: account_closed",
        behaviour=CardBehaviour.REFUND_DECLINED_LATER,
    ),
)


def bench_number(ordinal: int) -> str:
    """Return a load test's card: BIN 400030, ``ordinal`` (0 to 999) in nine digits, check digit."""
    digits = f"{BENCH_PREFIX}{ordinal:09d}"
    return digits + check_digit(digits)


def bench_cards() -> Iterator[TestCard]:
    for ordinal in range(BENCH_CARDS):
        yield TestCard(bench_number(ordinal), Bank.BMCE, "approved (load test)")
