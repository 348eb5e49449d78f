"""Every page in both languages: well-formed, usable without sight, harmless with hostile values."""

import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from html.parser import HTMLParser
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment_service.pages.form import Field, FieldError, RefusedForm, read_form
from payment_service.pages.languages import CATALOGUE
from payment_service.pages.page_models import (
    decline_sentence,
    declined_page,
    hand_over_page,
    no_such_payment_page,
    not_charged_page,
    not_paid_page,
    paid_page,
    pay_page,
    problem_page,
    standing_page,
    stuck,
)
from payment_service.pages.render import (
    TEMPLATES,
    FormState,
    LineItem,
    Page,
    PaymentSummary,
    Receipt,
    Seller,
    render_page,
)
from payment_service.values.money import Money
from service_kit.web.pages import Language

ACS = "http://127.0.0.1:5012/acs/t"
BACK = "https://shop.example/back?a=1&b=2"
OWN_PAGE = "http://127.0.0.1:8080/checkout/t"
PAYMENT = PaymentSummary("3", "1", Money(399998, "MAD"), "Store Manager", OWN_PAGE)
SELLER = Seller("Store Manager SARL", ("1, rue des Écoles", "20000 Casablanca"), "IF 00000001")
ITEMS = (
    LineItem("Notebook", 1200, Money(250, "MAD"), Money(16500, "MAD"), Decimal("5.5")),
    LineItem("Postage", 1, Money(99998, "MAD"), Money(10, "MAD")),
    LineItem("Bag", 1, Money(0, "MAD")),
)
FORM = FormState("frm_1")
RECEIPT = Receipt(
    datetime(2026, 11, 21, 14, 5, tzinfo=UTC),
    PAYMENT.amount,
    card_last4="9999",
    authorization_code="A1B2C3",
    receipt_email="nadia@exemple.ma",
)
ALL_ERRORS = [
    (Field.CARD_NUMBER, FieldError.REQUIRED),
    (Field.CARD_NUMBER, FieldError.MALFORMED),
    (Field.CARD_NUMBER, FieldError.CHECK_DIGIT),
    (Field.EXPIRATION_DATE, FieldError.REQUIRED),
    (Field.EXPIRATION_DATE, FieldError.MALFORMED),
    (Field.EXPIRATION_DATE, FieldError.EXPIRED),
    (Field.CARD_CODE, FieldError.REQUIRED),
    (Field.CARD_CODE, FieldError.MALFORMED),
    (Field.EMAIL, FieldError.MALFORMED),
    (Field.FORM_KEY, FieldError.REQUIRED),
]
DECLINE_CODES = [
    "insufficient_funds",
    "lost_card",
    "stolen_card",
    "expired_card",
    "do_not_honor",
    "incorrect_cvc",
    "invalid_number",
    "issuer_unavailable",
    "authentication_failed",
    "fraudulent",
    "something_new",
]
NOT_SENT = not_charged_page(PAYMENT, FORM, HTTPStatus.BAD_GATEWAY, "not_sent")
UNAVAILABLE = not_charged_page(PAYMENT, FORM, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
PROBLEMS = [400, 404, 405, 408, 413, 415, 429, 500, 503]

PAGES: dict[str, tuple[Page, int]] = {
    "pay": (pay_page(PAYMENT, FORM), 200),
    **{
        f"pay {name} {error}": (pay_page(PAYMENT, FormState("frm_1", {}, {name: error})), 400)
        for name, error in ALL_ERRORS
    },
    **{f"declined {code}": (declined_page(PAYMENT, FORM, code), 402) for code in DECLINE_CODES},
    "declined for good": (declined_page(PAYMENT, FORM, "too_many_cards"), 402),
    "declined": (declined_page(PAYMENT, FORM), 402),
    "not sent": (NOT_SENT, 502),
    "given up": (not_charged_page(PAYMENT, FORM, HTTPStatus.BAD_GATEWAY, "abandoned"), 502),
    "unavailable": (UNAVAILABLE, 503),
    "paid": (paid_page(PAYMENT, RECEIPT), 200),
    "paid, all known": (paid_page(replace(PAYMENT, seller=SELLER, line_items=ITEMS), RECEIPT), 200),
    "paid, little known": (paid_page(PAYMENT, Receipt(RECEIPT.paid_at, PAYMENT.amount)), 200),
    "paid before": (paid_page(PAYMENT, RECEIPT, is_repeat=True), 200),
    "held": (paid_page(PAYMENT, replace(RECEIPT, is_hold=True)), 200),
    "held before": (paid_page(PAYMENT, replace(RECEIPT, is_hold=True), is_repeat=True), 200),
    "in review": (standing_page(PAYMENT, "pending.review"), 202),
    "pending": (standing_page(PAYMENT, "pending.unknown"), 202),
    "processing": (standing_page(PAYMENT, "pending.processing"), 409),
    **{
        f"closed {name}": (standing_page(PAYMENT, f"closed.{name}"), 409) for name in ("cancelled", "expired")
    },
    "no such payment": (no_such_payment_page("77"), 404),
    "link without payment 0": (no_such_payment_page("0"), 404),
    "link without payment None": (no_such_payment_page("None"), 404),
    **{f"problem {status}": (problem_page(HTTPStatus(status)), status) for status in PROBLEMS},
}
# Only these lead to other addresses, all of which were made or checked by us.
LEADING_ON: dict[str, tuple[Page, int]] = {
    "hand over": (hand_over_page(PAYMENT, ACS, "att_1"), 202),
    "hand over, stuck": (stuck(hand_over_page(PAYMENT, ACS, "att_1")), 202),
    "declined, elsewhere": (declined_page(PAYMENT, None, "do_not_honor"), 402),
    "not paid": (not_paid_page(PAYMENT), 200),
    "paid, with a way back": (paid_page(replace(PAYMENT, return_url=BACK), RECEIPT), 200),
    "pending, with a way back": (standing_page(replace(PAYMENT, return_url=BACK), "pending.review"), 202),
}
ALL = {**PAGES, **LEADING_ON}
page_of_ours = pytest.mark.parametrize("page", [page for page, _ in PAGES.values()], ids=list(PAGES))
every_page = pytest.mark.parametrize("page", [page for page, _ in ALL.values()], ids=list(ALL))
both_languages = pytest.mark.parametrize("language", list(Language))

VOID_ELEMENTS = {"meta", "link", "input", "br"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Document:
    elements: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def values(self, attribute: str) -> list[str]:
        return [
            element.attributes[attribute] or ""
            for element in self.elements
            if attribute in element.attributes
        ]

    def input(self, name: Field) -> Element:
        (found,) = [element for element in self.all("input") if element.attributes.get("name") == name.value]
        return found


class StrictParser(HTMLParser):
    """Reads a document and stops at a tag that does not match."""

    def __init__(self) -> None:
        super().__init__()
        self.document = Document()
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len({name for name, _ in attrs}), f"attribute twice in <{tag}>"
        element = Element(tag, dict(attrs))
        self.document.elements.append(element)
        if tag not in VOID_ELEMENTS:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert any(element.tag == "svg" for element in self.open), f"<{tag}/> is not HTML"
        self.document.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def parse(html: str) -> Document:
    parser = StrictParser()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.document


def shown(page: Page, language: Language = Language.EN, *, is_lab: bool = False) -> Document:
    return parse(render_page(page, language, is_lab=is_lab))


@every_page
@both_languages
def test_a_page_is_well_formed_and_says_its_language(page: Page, language: Language) -> None:
    html = render_page(page, language, is_lab=True)
    document = parse(html)
    ids = document.values("id")

    assert html.lstrip().startswith("<!DOCTYPE html>")
    assert document.all("html")[0].attributes["lang"] == language.value
    assert len(ids) == len(set(ids))
    assert len(document.all("main")) == 1


@every_page
@both_languages
def test_a_page_says_its_state_in_heading_and_title(page: Page, language: Language) -> None:
    document = shown(page, language)
    (heading,), (title,) = document.all("h1"), document.all("title")

    assert heading.text.strip()
    assert heading.text.strip() in title.text


@every_page
@both_languages
def test_every_input_has_its_label_and_every_reference_its_target(page: Page, language: Language) -> None:
    document = shown(page, language)
    ids = set(document.values("id"))
    inputs = {e.attributes["id"] for e in document.all("input") if e.attributes.get("type") != "hidden"}
    references = [one for name in ("aria-describedby", "aria-labelledby") for one in document.values(name)]
    fragments = [link[1:] for link in document.values("href") if link.startswith("#")]

    assert sorted(document.values("for")) == sorted(str(one) for one in inputs)
    assert {target for reference in references for target in reference.split()} <= ids
    assert set(fragments) <= ids


@page_of_ours
@both_languages
def test_a_page_loads_nothing_runs_nothing_and_knows_no_prefix(page: Page, language: Language) -> None:
    html = render_page(page, language, is_lab=True)
    document = parse(html)
    addresses = [one for name in ("href", "src", "action", "formaction") for one in document.values(name)]

    assert all(one in {"", "data:,"} or one.startswith("#") for one in addresses)
    assert not re.search(r"url\(|@import|https?:|//", html)
    assert document.all("script") == []
    assert [
        name for e in document.elements for name in e.attributes if name.startswith("on") or name == "style"
    ] == []


@every_page
def test_a_page_in_french_is_not_the_page_in_english(page: Page) -> None:
    assert shown(page, Language.FR).all("h1")[0].text != shown(page, Language.EN).all("h1")[0].text


def test_the_policy_allows_exactly_our_style() -> None:
    (style,) = shown(pay_page(PAYMENT, FORM)).all("style")
    digest = b64encode(sha256(style.text.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}';" in TEMPLATES.content_security_policy
    assert TEMPLATES.headers(Language.FR)["Content-Security-Policy"] == TEMPLATES.content_security_policy
    assert "unsafe" not in TEMPLATES.content_security_policy


def test_nobody_may_keep_a_page() -> None:
    headers = TEMPLATES.headers(Language.EN)

    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Language"] == "en"
    assert "Accept-Language" in headers["Vary"]


@pytest.mark.parametrize(("page", "status"), ALL.values(), ids=list(ALL))
def test_a_page_has_the_status_of_the_json_answer(page: Page, status: int) -> None:
    assert page.status == status


def test_the_form_goes_back_to_its_own_address_with_its_key() -> None:
    document = shown(pay_page(PAYMENT, FORM))
    (form,) = document.all("form")

    assert form.attributes["method"] == "post"
    assert "action" not in form.attributes
    assert document.input(Field.FORM_KEY).attributes["value"] == "frm_1"
    assert {name.value for name in Field} == set(document.values("name")) - {
        "viewport",
        "robots",
        "referrer",
        "format-detection",
    }


def test_the_form_tells_browsers_what_goes_where() -> None:
    document = shown(pay_page(PAYMENT, FORM))

    assert {name: document.input(name).attributes.get("autocomplete") for name in Field} == {
        Field.CARD_NUMBER: "cc-number",
        Field.EXPIRATION_DATE: "cc-exp",
        Field.CARD_CODE: "cc-csc",
        Field.EMAIL: "email",
        Field.FORM_KEY: None,
    }
    assert document.input(Field.CARD_NUMBER).attributes["inputmode"] == "numeric"
    assert "required" not in document.input(Field.EMAIL).attributes


def test_a_fresh_form_takes_no_focus() -> None:
    assert shown(pay_page(PAYMENT, FORM)).values("autofocus") == []


@pytest.mark.parametrize(("name", "error"), ALL_ERRORS)
@both_languages
def test_an_error_stands_at_its_field_and_in_the_summary(
    name: Field, error: FieldError, language: Language
) -> None:
    document = shown(pay_page(PAYMENT, FormState("frm_1", {}, {name: error})), language)
    sentence = CATALOGUE.say(language, f"error.{name.value}.{error.value}")
    (summary,) = [e for e in document.elements if e.attributes.get("role") == "alert"]

    assert sentence in summary.text
    assert summary.attributes["tabindex"] == "-1"
    assert document.all("title")[0].text.startswith(CATALOGUE.say(language, "error.prefix"))
    if name != Field.FORM_KEY:
        assert f"#{name.value}" in document.values("href")
        assert document.input(name).attributes["aria-invalid"] == "true"
        described_by = (document.input(name).attributes["aria-describedby"] or "").split()
        texts = [e.text for e in document.elements if e.attributes.get("id") in described_by]
        assert any(sentence in text for text in texts)


def test_what_was_right_is_not_marked_wrong() -> None:
    document = shown(pay_page(PAYMENT, FormState("k", {}, {Field.EMAIL: FieldError.MALFORMED})))

    assert "aria-invalid" not in document.input(Field.CARD_NUMBER).attributes


def test_the_address_and_the_expiry_are_shown_again() -> None:
    kept = {Field.EMAIL: 'na"dia@exemple', Field.EXPIRATION_DATE: "09/29"}
    document = shown(pay_page(PAYMENT, FormState("k", kept, {Field.CARD_CODE: FieldError.REQUIRED})))

    assert document.input(Field.EMAIL).attributes["value"] == 'na"dia@exemple'
    assert document.input(Field.EXPIRATION_DATE).attributes["value"] == "09/29"


@given(
    number=st.from_regex(r"[0-9]{12,19}", fullmatch=True),
    code=st.from_regex(r"[0-9]{3,4}", fullmatch=True),
    others=st.fixed_dictionaries(
        {}, optional={"email": st.text(max_size=40), "expirationDate": st.text(max_size=12)}
    ),
    astray=st.sampled_from([None, "email", "expirationDate", "form_key"]),
    shape=st.sampled_from(["{0}", "{0}@exemple.ma", "a@{0}", " {0} "]),
)
def test_no_card_number_or_code_comes_back(
    number: str, code: str, others: dict[str, str], astray: str | None, shape: str
) -> None:
    fields = {"form_key": "frm_1", **others, "cardNumber": number, "cardCode": code}
    if astray:
        fields[astray] = shape.format(number)
    refused = read_form(fields, now=datetime(2026, 11, 21, tzinfo=UTC), is_acceptable_number=lambda _: False)

    assert isinstance(refused, RefusedForm)
    html = render_page(pay_page(PAYMENT, FormState("frm_2", refused.kept, refused.errors)), Language.FR)

    assert number not in html
    assert "value" not in parse(html).input(Field.CARD_NUMBER).attributes
    assert "value" not in parse(html).input(Field.CARD_CODE).attributes


@given(merchant=st.text(), order_id=st.text(), payment_id=st.text(), email=st.text(), code=st.text())
def test_hostile_values_change_no_tag(
    merchant: str, order_id: str, payment_id: str, email: str, code: str
) -> None:
    hostile = PaymentSummary(payment_id, f"x{order_id}", PAYMENT.amount, merchant, OWN_PAGE)
    receipt = replace(
        RECEIPT, receipt_email=f"x{email}", authorization_code=f"x{code}", card_last4=f"x{code}"
    )
    pairs: list[tuple[Page, Page]] = [
        (paid_page(hostile, receipt), paid_page(PAYMENT, RECEIPT)),
        (declined_page(hostile, FormState(code), code), declined_page(PAYMENT, FORM)),
    ]

    for page, harmless in pairs:
        assert [e.tag for e in shown(page).elements] == [e.tag for e in shown(harmless).elements]


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "'; {{ 7*7 }} {x}", "</title>"]
)
def test_markup_in_a_value_is_shown_as_text(hostile: str) -> None:
    document = shown(paid_page(PaymentSummary(hostile, hostile, PAYMENT.amount, hostile, OWN_PAGE), RECEIPT))

    assert hostile in document.all("title")[0].text
    assert document.all("dd")[0].text == hostile
    assert document.all("dd")[1].text == hostile


@both_languages
@pytest.mark.parametrize(
    "code", ["lost_card", "stolen_card", "fraudulent", "do_not_honor", "no_charge", "heading"]
)
def test_a_suspected_thief_learns_nothing(code: str, language: Language) -> None:
    assert render_page(declined_page(PAYMENT, FORM, code), language) == render_page(
        declined_page(PAYMENT, FORM), language
    )


@both_languages
@pytest.mark.parametrize("code", [*DECLINE_CODES, None])
def test_the_page_says_of_a_decline_what_every_other_answer_says(
    code: str | None, language: Language
) -> None:
    assert (
        decline_sentence(code, language)
        in shown(declined_page(PAYMENT, FORM, code), language).all("main")[0].text
    )


def test_a_decline_offers_another_card_with_the_new_key() -> None:
    document = shown(declined_page(PAYMENT, FormState("frm_2"), "insufficient_funds"))

    assert "the balance or the limit" in document.all("main")[0].text
    assert "Try another card" in [heading.text for heading in document.all("h2")]
    assert document.input(Field.FORM_KEY).attributes["value"] == "frm_2"


def test_a_receipt_holds_what_a_payer_needs_to_prove() -> None:
    text = shown(paid_page(PAYMENT, RECEIPT)).all("dl")[0].text

    for value in (
        "Store Manager",
        "1",
        "3",
        "21 November 2026",
        "ending in 9999",
        "A1B2C3",
        "MAD\u00a03,999.98",
    ):
        assert value in text


def test_a_paid_page_says_where_the_receipt_goes_only_when_told() -> None:
    assert "nadia@exemple.ma" in render_page(paid_page(PAYMENT, RECEIPT), Language.FR)
    assert "@" not in shown(paid_page(PAYMENT, Receipt(RECEIPT.paid_at, PAYMENT.amount))).all("main")[0].text


def test_a_hold_does_not_claim_to_be_paid() -> None:
    text = shown(paid_page(PAYMENT, replace(RECEIPT, is_hold=True))).all("main")[0].text

    assert "Amount reserved" in text
    assert "paid" not in text.lower()


def test_a_receipt_shows_what_was_taken_and_no_order_that_is_none() -> None:
    page = paid_page(replace(PAYMENT, order_id=""), replace(RECEIPT, amount=Money(100000, "MAD")))

    receipt = shown(page).all("dl")[0].text

    assert "MAD\u00a01,000.00" in receipt
    assert "3,999.98" not in receipt
    assert "Order" not in receipt


def test_a_challenge_leads_to_the_bank_and_offers_another_card() -> None:
    html = render_page(hand_over_page(PAYMENT, ACS, "att_1"), Language.EN)
    document = parse(html)

    assert [link.attributes["href"] for link in document.all("a")] == [ACS]
    assert {e.attributes.get("name"): e.attributes.get("value") for e in document.all("input")} == {
        "other_card": "att_1"
    }
    assert "action" not in document.all("form")[0].attributes
    # Whoever was at the bank already may have been charged since the page was made.
    assert "Nothing was charged" not in html


def test_on_the_way_back_another_card_is_chosen_on_the_payments_own_page() -> None:
    document = parse(render_page(hand_over_page(PAYMENT, ACS, "att_1"), Language.EN, is_return=True))

    assert document.all("form")[0].attributes["action"] == OWN_PAGE


def test_the_way_back_to_the_merchant_is_there_once_nothing_is_left_to_do() -> None:
    back = replace(PAYMENT, return_url=BACK)

    def links(page: Page) -> list[str]:
        return shown(page).values("href")[1:]

    assert links(paid_page(back, RECEIPT)) == [BACK]
    assert links(standing_page(back, "pending.unknown")) == ["", BACK]
    assert links(declined_page(back, None)) == [OWN_PAGE, BACK]
    assert links(hand_over_page(back, ACS, "att_1")) == [ACS]
    assert links(pay_page(back, FORM)) == []


@pytest.mark.parametrize("name", ["unknown", "processing", "review"])
def test_a_pending_page_has_no_form_but_a_link_to_look_again(name: str) -> None:
    document = shown(standing_page(PAYMENT, f"pending.{name}"))

    assert document.all("form") == []
    assert [link.attributes["href"] for link in document.all("a")] == [""]
    assert "Do not pay a second time" in document.all("main")[0].text


@pytest.mark.parametrize("requested_id", ["0", "None"])
def test_a_link_that_the_shop_made_without_a_payment_is_explained(requested_id: str) -> None:
    document = shown(no_such_payment_page(requested_id))

    assert "the shop got no payment for it" in document.all("main")[0].text


@pytest.mark.parametrize("page", [NOT_SENT, UNAVAILABLE])
def test_after_an_outage_the_form_is_there_again(page: Page) -> None:
    document = shown(page)

    assert "charged" in document.all("main")[0].text
    assert document.input(Field.FORM_KEY).attributes["value"] == "frm_1"


def test_the_test_card_is_shown_in_the_lab_only() -> None:
    assert "9999\u00a09999\u00a09999\u00a09" in render_page(pay_page(PAYMENT, FORM), Language.FR, is_lab=True)
    assert "9999\u00a0" not in render_page(pay_page(PAYMENT, FORM), Language.FR)


def test_a_failure_of_ours_does_not_promise_that_nothing_was_charged() -> None:
    text = shown(problem_page(HTTPStatus.INTERNAL_SERVER_ERROR)).all("main")[0].text

    assert "charged" not in text
    assert "Look again" in text
