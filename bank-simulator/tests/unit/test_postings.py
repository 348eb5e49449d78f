from bank_simulator.domain.postings import Movement, postings
from bank_simulator.values.vocabulary import AccountKind, RequestKind
from hypothesis import given
from hypothesis import strategies as st

CARDHOLDER, HOLD, MERCHANT = AccountKind.CARDHOLDER, AccountKind.HOLD, AccountKind.MERCHANT
AMOUNTS = st.integers(1, 10**15)


@given(st.sampled_from(RequestKind), AMOUNTS, st.integers(0, 10**15))
def test_postings_always_add_up_to_zero(kind: RequestKind, amount: int, released: int) -> None:
    assert sum(postings(kind, Movement(amount, released)).values()) == 0


@given(AMOUNTS)
def test_a_sale_moves_the_amount_from_cardholder_to_merchant(amount: int) -> None:
    assert postings(RequestKind.SALE, Movement(amount)) == {CARDHOLDER: -amount, MERCHANT: amount}


@given(AMOUNTS, AMOUNTS)
def test_a_final_capture_empties_the_hold_and_returns_the_rest(amount: int, rest: int) -> None:
    moved = postings(RequestKind.CAPTURE, Movement(amount, rest))

    assert moved == {HOLD: -amount - rest, MERCHANT: amount, CARDHOLDER: rest}


@given(AMOUNTS)
def test_a_void_takes_from_where_the_money_is(amount: int) -> None:
    assert postings(RequestKind.VOID, Movement(amount, amount)) == {HOLD: -amount, CARDHOLDER: amount}
    assert postings(RequestKind.VOID, Movement(amount)) == {MERCHANT: -amount, CARDHOLDER: amount}


@given(AMOUNTS)
def test_a_capture_undoes_nothing_but_its_own_part_of_the_hold(amount: int) -> None:
    assert postings(RequestKind.CAPTURE, Movement(amount)) == {HOLD: -amount, MERCHANT: amount}
