import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from notification_service.rendering.inlining import inline_layout
from notification_service.rendering.renderer import Renderer
from notification_service.values.receipt import LineItem, Receipt
from notification_service.values.vocabulary import MailLocale, NotificationType

RECEIPT = Receipt(
    payment_id="3",
    order_id="17",
    amount_minor=399998,
    currency="MAD",
    occurred_at=datetime(2026, 11, 21, 9, 5, tzinfo=UTC),
    merchant_name="Store Manager",
    card_last4="9999",
    authorization_code="A1B2C3",
)
RENDERER = Renderer(ZoneInfo("Africa/Casablanca"))
ALL_LETTERS = [(kind, locale) for kind in NotificationType for locale in MailLocale]


class Elements(HTMLParser):
    """Collects the elements and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(("kind", "locale"), ALL_LETTERS)
def test_each_email_tells_all_facts_in_both_forms(kind: NotificationType, locale: MailLocale) -> None:
    mail = RENDERER.render(kind, locale, RECEIPT)

    amount = {MailLocale.FR: "3\u202f999,98\u00a0MAD", MailLocale.EN: "MAD\u00a03,999.98"}[locale]
    assert amount in mail.subject
    for form in (Elements(mail.html).text, mail.text):
        for fact in (amount, "Store Manager", "17", "9999", "A1B2C3", "09:05 (UTC)"):
            assert fact in form


FULL = replace(
    RECEIPT,
    legal_name="Store Manager SARL",
    address=("2, rue du Port", "Rabat"),
    tax_number="IF 12345678",
    line_items=(
        LineItem("Le Petit <Prince>", 2, 199999, 66666, "20"),
        LineItem("Emballage", 1, 0, 0, None),
    ),
)


@pytest.mark.parametrize(
    ("locale", "facts"),
    [
        (
            MailLocale.FR,
            (
                "2 \u00d7 1\u202f999,99\u00a0MAD = 3\u202f999,98\u00a0MAD",
                "(taxe 20\u00a0%\u00a0: 666,66\u00a0MAD)",
                "Émis par\u00a0:",
                "Identifiant fiscal\u00a0: IF 12345678",
            ),
        ),
        (
            MailLocale.EN,
            (
                "2 \u00d7 MAD\u00a01,999.99 = MAD\u00a03,999.98 (tax 20\u00a0%: MAD\u00a0666.66)",
                "Issued by:",
                "Tax number: IF 12345678",
            ),
        ),
    ],
)
def test_a_receipt_has_what_was_bought_and_who_sold_it(locale: MailLocale, facts: tuple[str, ...]) -> None:
    mail = RENDERER.render(NotificationType.PAYMENT_RECEIPT, locale, FULL)

    lines = ("Le Petit <Prince>", "Emballage", "Store Manager SARL", "2, rue du Port", "Rabat")
    for form in (Elements(mail.html).text, mail.text):
        for fact in (*facts, *lines):
            assert fact in form
    assert "<Prince>" not in mail.html


def test_a_reversal_names_no_goods() -> None:
    mail = RENDERER.render(NotificationType.PAYMENT_REVERSED, MailLocale.FR, FULL)

    assert "Emballage" not in mail.text
    assert "Store Manager SARL" in mail.text


def test_a_receipt_without_them_has_no_empty_headings() -> None:
    mail = RENDERER.render(NotificationType.PAYMENT_RECEIPT, MailLocale.EN, RECEIPT)

    for form in (Elements(mail.html).text, mail.text):
        assert "Items" not in form
        assert "Issued by" not in form


def test_languages_and_kinds_differ() -> None:
    subjects = [RENDERER.render(kind, locale, RECEIPT).subject for kind, locale in ALL_LETTERS]

    assert len(set(subjects)) == len(ALL_LETTERS)
    assert "Reçu" in subjects[0]
    assert "Receipt" in subjects[1]


@pytest.mark.parametrize("kind", NotificationType)
def test_french_has_non_breaking_spaces_before_high_punctuation(kind: NotificationType) -> None:
    mail = RENDERER.render(kind, MailLocale.FR, RECEIPT)

    for form in (mail.text, Elements(mail.html).text, mail.subject):
        before = set(re.findall(r"(.)[:;!?»](?!\d)", form))
        assert before <= {"\u00a0"}
        assert not re.search(
            r"[^\s\d:/\"=-][:;!?](\s|$)", form.replace("\u00a0", "#").replace("#:", "").replace("#;", "")
        )
    assert "Montant" in mail.text
    assert "\u00a0: 3\u202f999,98\u00a0MAD" in mail.text


def test_values_are_escaped_in_html_and_left_alone_in_text() -> None:
    hostile = replace(RECEIPT, merchant_name='</p><script>alert("1")</script> & {{ 7*7 }} {% raw %}')

    mail = RENDERER.render(NotificationType.PAYMENT_RECEIPT, MailLocale.EN, hostile)

    page = Elements(mail.html)
    assert "script" not in page.tags
    assert hostile.merchant_name in page.text
    assert hostile.merchant_name in mail.text
    assert hostile.merchant_name in mail.subject


def test_without_an_authorization_code_its_row_is_left_out() -> None:
    mail = RENDERER.render(
        NotificationType.PAYMENT_RECEIPT, MailLocale.EN, replace(RECEIPT, authorization_code=None)
    )

    assert "Authorisation" not in mail.html
    assert "Authorisation" not in mail.text
    assert "None" not in mail.html + mail.text


def test_html_is_whole_and_needs_nothing_from_elsewhere() -> None:
    html = RENDERER.render(NotificationType.PAYMENT_RECEIPT, MailLocale.FR, RECEIPT).html

    assert '<html lang="fr"' in html
    assert "<style" not in html
    assert "http" not in html
    assert "jinja" not in html
    assert Elements(html).tags.count("tr") == 7
    assert re.search(r'<th scope="row" style="[^"]+">Commande</th>', html)


def test_inlining_keeps_loops_inside_tables_and_expressions_as_they_are() -> None:
    source = (
        "<html><head><style>td { color: red; }</style></head><body><table><tbody>\n"
        "{% for a in b if a < 3 and a > 1 %}<tr><td>{{ a if a > 2 else '&' }}</td></tr>{% endfor %}"
        "</tbody></table></body></html>"
    )

    inlined = inline_layout(source)

    assert "{% for a in b if a < 3 and a > 1 %}<tr><td style=" in inlined
    assert "{{ a if a > 2 else '&' }}</td></tr>{% endfor %}</tbody>" in inlined
