"""From the facts of a payment to subject, HTML and text in the payer's language."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, Template, select_autoescape

from notification_service.rendering.formatting import format_amount, format_moment, format_number
from notification_service.rendering.inlining import inline_layout
from notification_service.rendering.texts import Language, load_language
from notification_service.values.receipt import LineItem, Receipt
from notification_service.values.vocabulary import MailLocale, NotificationType

# A reversal gives back money and no goods.
WITH_ITEMS = frozenset({NotificationType.PAYMENT_RECEIPT})
TEMPLATES = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """An e-mail's words, the same in both forms."""

    subject: str
    html: str
    text: str


class Renderer:
    """Holds everything compiled; one for the whole process.

    Words are plain text. Only the HTML layout makes HTML of them, and escapes each value.
    """

    def __init__(self, time_zone: ZoneInfo, templates: Path = TEMPLATES) -> None:
        self._zone = time_zone
        self._html = _layout(templates / "mail.html")
        self._text = _layout(templates / "mail.txt")
        plain = Environment(autoescape=False, undefined=StrictUndefined)  # noqa: S701  plain text, see above
        self._languages: dict[MailLocale, Language] = {
            locale: load_language(templates / "words", locale, plain) for locale in MailLocale
        }

    def render(self, kind: NotificationType, locale: MailLocale, receipt: Receipt) -> RenderedMail:
        language = self._languages[locale]
        words = language.emails[kind]
        amount = format_amount(receipt.amount_minor, receipt.currency, locale)
        facts = {"amount": amount, "merchant": receipt.merchant_name}
        subject = words.subject.render(facts)
        content = {
            "lang": locale.value,
            "subject": subject,
            "heading": words.heading.render(facts),
            "lead": words.lead.render(facts),
            "amount": amount,
            "amount_label": words.amount_label,
            "rows": self._rows(language, receipt, locale),
            "items_label": language.common.items,
            "items": [_item(item, receipt.currency, language, locale) for item in receipt.line_items]
            if kind in WITH_ITEMS
            else [],
            "issuer_label": language.common.issuer,
            "issuer": _issuer(receipt, language),
            "notes": [note.render(facts) for note in words.notes],
            "label_end": language.common.label_end,
            "automatic": language.common.automatic,
        }
        return RenderedMail(subject, self._html.render(content), self._text.render(content))

    def _rows(self, language: Language, receipt: Receipt, locale: MailLocale) -> list[tuple[str, str]]:
        words = language.common
        rows = [
            (words.merchant, receipt.merchant_name),
            (words.order, receipt.order_id),
            (words.payment, receipt.payment_id),
            (
                words.occurred_at,
                format_moment(receipt.occurred_at, self._zone, words.date_pattern, locale),
            ),
            (words.card, words.card_value.render(last4=receipt.card_last4)),
        ]
        if receipt.authorization_code:
            rows.append((words.authorization, receipt.authorization_code))
        return rows


def _item(item: LineItem, currency: str, language: Language, locale: MailLocale) -> tuple[str, str]:
    """Return what was bought and what it cost: ``2 x 10,00 MAD = 20,00 MAD (taxe 20 % : 3,33 MAD)``."""

    def amount(minor: int) -> str:
        return format_amount(minor, currency, locale)

    each, whole = amount(item.unit_amount), amount(item.quantity * item.unit_amount)
    cost = f"{format_number(item.quantity, locale)} \u00d7 {each} = {whole}"
    if not item.tax_amount:
        return item.name, cost
    rate = f" {format_number(Decimal(item.tax_rate), locale)}\u00a0%" if item.tax_rate else ""
    words = language.common
    return item.name, f"{cost} ({words.tax}{rate}{words.label_end} {amount(item.tax_amount)})"


def _issuer(receipt: Receipt, language: Language) -> list[str]:
    """Return the lines by which the law knows the merchant, where they are given."""
    words = language.common
    number = f"{words.tax_number}{words.label_end} {receipt.tax_number}" if receipt.tax_number else None
    return [line for line in (receipt.legal_name, *receipt.address, number) if line]


def _layout(path: Path) -> Template:
    environment = Environment(
        autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=path.suffix == ".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    source = path.read_text(encoding="utf-8")
    return environment.from_string(inline_layout(source) if path.suffix == ".html" else source)
