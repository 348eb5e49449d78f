"""One table says what a state means and what everybody is told of it; what can be shown has its row."""

from http import HTTPStatus

import pytest
from payment_service.domain.payments.results import SUCCEEDED
from payment_service.domain.payments.transitions import MOVEMENT_TRANSITIONS, PAYABLE, MovementKind
from payment_service.pages.languages import CATALOGUE
from payment_service.pages.page_models import declined_page, not_charged_page, standing_page
from payment_service.pages.render import FormState, PaymentSummary
from payment_service.refusals import OUTCOME_UNKNOWN, REFUSALS, STANDINGS
from payment_service.values.money import Money
from payment_service.values.statuses import MovementState, PaymentStatus
from service_kit.web.pages import Language

PAYMENT = PaymentSummary("3", "1", Money(399998, "MAD"), "Store Manager", "http://127.0.0.1:8080/checkout/t")
FORM = FormState("frm_1")
SHOWN_KINDS = [kind for kind in MovementKind if kind is not MovementKind.REVERSAL]
both_languages = pytest.mark.parametrize("language", list(Language))


@pytest.mark.parametrize("kind", SHOWN_KINDS)
def test_every_end_of_a_movement_but_approval_has_its_row(kind: MovementKind) -> None:
    table = MOVEMENT_TRANSITIONS[kind]
    ends = {state for targets in table.values() for state in targets if state not in table}

    assert {state for row_kind, state in REFUSALS if row_kind is kind} == ends - {MovementState.APPROVED}


def test_no_two_rows_have_the_same_problem_code() -> None:
    assert len({refusal.code for refusal in REFUSALS.values()}) == len(REFUSALS)


@both_languages
@pytest.mark.parametrize("state", [state for kind, state in REFUSALS if kind is MovementKind.CHARGE])
def test_every_refused_charge_is_told_to_everybody(state: MovementState, language: Language) -> None:
    refusal = REFUSALS[MovementKind.CHARGE, state]
    page = (
        declined_page(PAYMENT, FORM)
        if refusal.payer == "declined"
        else not_charged_page(PAYMENT, FORM, refusal.status, refusal.payer)
    )

    assert refusal.detail
    assert refusal.last_error
    # A decline is told to the lab's client in the payer's words.
    assert refusal.lab or refusal.payer == "declined"
    assert page.heading == f"{refusal.payer}.heading"
    assert {page.heading, *page.texts} <= set(CATALOGUE.texts[language])
    assert page.status == (HTTPStatus.PAYMENT_REQUIRED if refusal.payer == "declined" else refusal.status)


@both_languages
def test_every_payment_that_nobody_can_pay_now_has_its_sentences(language: Language) -> None:
    assert set(STANDINGS) == set(PaymentStatus) - PAYABLE - SUCCEEDED
    for name in [*STANDINGS.values(), OUTCOME_UNKNOWN]:
        page = standing_page(PAYMENT, name)
        assert {page.heading, *page.texts, page.link or page.heading} <= set(CATALOGUE.texts[language])
