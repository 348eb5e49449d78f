"""From rendered words to a finished e-mail."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from notification_service.channels.port import Letter
from notification_service.rendering.renderer import RenderedMail
from notification_service.values.vocabulary import MailLocale

_POLICY = SMTP.clone(raise_on_defect=False)


def write_letter(
    mail: RenderedMail,
    *,
    letter_id: str,
    mail_from: str,
    recipient: str,
    locale: MailLocale,
    accepted_at: datetime,
) -> Letter:
    """Return the e-mail; for the same notification always the same bytes, Message-ID and Date included."""
    name, sender = parseaddr(mail_from)
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(accepted_at)
    message["Message-ID"] = f"<{letter_id}@{sender.rpartition('@')[2]}>"
    # RFC 3834: no out-of-office reply, please.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{letter_id}")
    message["Content-Language"] = locale.value  # the methods above clear all Content-* fields
    return Letter(id=letter_id, sender=sender, recipient=recipient, content=message.as_bytes())
