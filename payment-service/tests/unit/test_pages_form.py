"""The submitted card form: what is accepted, what is refused, what may be shown again."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment_service.pages.form import (
    Field,
    FieldError,
    RefusedForm,
    SubmittedForm,
    kept_values,
    read_form,
)
from payment_service.values.cards import CardData

NOW = datetime(2026, 11, 21, tzinfo=UTC)
GOOD = {
    "form_key": "frm_1",
    "cardNumber": "4242 4242 4242 4242",
    "expirationDate": "09/29",
    "cardCode": "123",
    "email": "nadia@exemple.ma",
}


def read(
    is_acceptable_number: Callable[[str], bool] = lambda _: True, **fields: str
) -> SubmittedForm | RefusedForm:
    return read_form({**GOOD, **fields}, now=NOW, is_acceptable_number=is_acceptable_number)


def errors_of(form: SubmittedForm | RefusedForm) -> dict[Field, FieldError]:
    return dict(form.errors) if isinstance(form, RefusedForm) else {}


def test_a_complete_form_is_a_card_and_an_address() -> None:
    assert read() == SubmittedForm("frm_1", CardData("4242424242424242", 9, 2029, "123"), "nadia@exemple.ma")


def test_the_address_is_optional() -> None:
    form = read(email="  ")

    assert isinstance(form, SubmittedForm)
    assert form.email is None


def test_an_empty_form_names_every_required_field() -> None:
    form = read_form({}, now=NOW, is_acceptable_number=lambda _: True)

    assert errors_of(form) == {
        Field.CARD_NUMBER: FieldError.REQUIRED,
        Field.EXPIRATION_DATE: FieldError.REQUIRED,
        Field.CARD_CODE: FieldError.REQUIRED,
        Field.FORM_KEY: FieldError.REQUIRED,
    }


@pytest.mark.parametrize(
    "typed",
    ["4242424242424242", "4242-4242-4242-4242", "4242\u00a04242\u202f4242 4242", " 4242.4242.4242.4242 "],
)
def test_grouped_digits_are_the_same_number(typed: str) -> None:
    form = read(cardNumber=typed)

    assert isinstance(form, SubmittedForm)
    assert form.card.pan == "4242424242424242"


@pytest.mark.parametrize(
    "typed", ["4242", "4" * 11, "4" * 20, "4242x24242424242", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "4242424242424242\x00"]
)
def test_what_is_not_12_to_19_digits_is_malformed(typed: str) -> None:
    assert errors_of(read(cardNumber=typed)) == {Field.CARD_NUMBER: FieldError.MALFORMED}


def test_the_callers_check_decides_about_a_well_formed_number() -> None:
    def only_the_test_card(digits: str) -> bool:
        return digits == "9999999999999"

    assert errors_of(read(only_the_test_card)) == {Field.CARD_NUMBER: FieldError.CHECK_DIGIT}
    assert errors_of(read(only_the_test_card, cardNumber="9999 9999 9999 9")) == {}


@given(
    month=st.integers(1, 12),
    year=st.integers(2027, 2099),
    spelling=st.sampled_from(
        [
            "{m:02}/{y}",
            "{m}/{yy:02}",
            "{m:02} / {yy:02}",
            "{m:02}.{yy:02}",
            "{m:02}-{y}",
            "{m:02}{yy:02}",
            "{m:02}{y}",
            "{y}-{m:02}",
            "{y}-{m:02}-05",
        ]
    ),
)
def test_every_usual_spelling_of_the_expiry_is_read(month: int, year: int, spelling: str) -> None:
    form = read(expirationDate=spelling.format(m=month, y=year, yy=year % 100))

    assert isinstance(form, SubmittedForm)
    assert (form.card.exp_month, form.card.exp_year) == (month, year)


@pytest.mark.parametrize(
    "typed",
    ["13/29", "00/29", "9", "09/2", "09/229", "09-29-2029", "2030-01-32", "2030-1", "soon", "09/9999"],
)
def test_an_unreadable_expiry_is_malformed(typed: str) -> None:
    assert errors_of(read(expirationDate=typed)) == {Field.EXPIRATION_DATE: FieldError.MALFORMED}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("11/26", {}),
        ("2026-11-01", {}),
        ("10/26", {Field.EXPIRATION_DATE: FieldError.EXPIRED}),
        ("12/2025", {Field.EXPIRATION_DATE: FieldError.EXPIRED}),
    ],
)
def test_a_card_is_good_to_the_end_of_its_month(typed: str, expected: dict[Field, FieldError]) -> None:
    assert errors_of(read(expirationDate=typed)) == expected


@pytest.mark.parametrize("typed", ["12", "12345", "12a", "١٢٣"])
def test_a_code_that_is_not_3_or_4_digits_is_malformed(typed: str) -> None:
    assert errors_of(read(cardCode=typed)) == {Field.CARD_CODE: FieldError.MALFORMED}


@pytest.mark.parametrize(
    "typed", ["nadia@exemple.ma", "n.o'neil+shop@mail.exemple.ma", f"{'n' * 64}@exemple.ma"]
)
def test_a_usual_address_is_accepted(typed: str) -> None:
    assert errors_of(read(email=typed)) == {}


@pytest.mark.parametrize(
    "typed",
    [
        "nadia",
        "nadia@",
        "@exemple.ma",
        "nadia@exemple",
        "na dia@exemple.ma",
        "nadia@exemple..ma",
        ".nadia@exemple.ma",
        "nadia@-exemple.ma",
        "nadia@exemple.ma\r\nBcc: all@exemple.ma",
        "nadia\x00@exemple.ma",
        "nadia@exemple.ma, omar@exemple.ma",
        f"{'n' * 65}@exemple.ma",
        f"n@{'exemple.' * 31}ma.exemple",
    ],
)
def test_an_address_that_mail_would_refuse_or_misread_is_malformed(typed: str) -> None:
    assert errors_of(read(email=typed)) == {Field.EMAIL: FieldError.MALFORMED}


@pytest.mark.parametrize("key", ["", "x" * 65, "frm 1", "frm_é", "<b>"])
def test_a_form_without_a_usable_key_is_refused(key: str) -> None:
    assert errors_of(read(form_key=key)) == {Field.FORM_KEY: FieldError.REQUIRED}


def test_a_refused_form_keeps_the_address_and_the_expiry_only() -> None:
    form = read(cardNumber="4242", email="nadia@exemple")

    assert isinstance(form, RefusedForm)
    assert form.kept == {Field.EXPIRATION_DATE: "09/29", Field.EMAIL: "nadia@exemple"}


@pytest.mark.parametrize("name", ["expirationDate", "email"])
@pytest.mark.parametrize("typed", ["4242424242424242", "4242 4242 4242 4242", "4242424242424242@exemple.ma"])
def test_a_number_typed_into_another_field_is_not_kept(name: str, typed: str) -> None:
    assert Field(name) not in kept_values({**GOOD, name: typed})


def test_a_card_does_not_print_itself() -> None:
    form = read(cardCode="987")

    assert "4242" not in repr(form)
    assert "987" not in repr(form)


@given(st.dictionaries(st.sampled_from([name.value for name in Field]), st.text(max_size=300)))
def test_whatever_is_submitted_gets_a_card_or_errors(fields: dict[str, str]) -> None:
    form = read_form(fields, now=NOW, is_acceptable_number=lambda _: True)

    if isinstance(form, RefusedForm):
        assert form.errors
    else:
        assert form.card.pan.isascii()
        assert form.card.pan.isdigit()
