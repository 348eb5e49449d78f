"""From rendered words to a finished e-mail.

The standard library's older message classes are used on purpose: the newer EmailMessage loses blanks when it
folds a long header that is not ASCII (Python 3.11).
"""

from datetime import datetime
from email.charset import QP, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime, formataddr, parseaddr

from notification_service.channels.port import Email
from notification_service.rendering.renderer import RenderedMail
from notification_service.values.vocabulary import MailLocale

_POLICY = compat32.clone(linesep="\r\n", max_line_length=None)  # we fold what must be folded
_UTF8 = Charset("utf-8")
_UTF8.body_encoding = QP


def compose_email(
    mail: RenderedMail,
    *,
    email_id: str,
    mail_from: str,
    recipient: str,
    locale: MailLocale,
    accepted_at: datetime,
) -> Email:
    """Return the e-mail; for the same notification always the same bytes, Message-ID and Date included.

    Raises:
        ValueError: the subject holds a line break.
    """
    if "\r" in mail.subject or "\n" in mail.subject:
        raise ValueError("A subject is one line.")
    name, sender = parseaddr(mail_from)
    message = MIMEMultipart("alternative", boundary=f"=_{email_id}", policy=_POLICY)
    message["From"] = formataddr((name, sender))
    message["To"] = recipient
    message["Subject"] = Header(mail.subject, "utf-8", header_name="Subject").encode()
    message["Date"] = format_datetime(accepted_at)
    message["Message-ID"] = f"<{email_id}@{sender.rpartition('@')[2]}>"
    message["Content-Language"] = locale.value
    # RFC 3834: no out-of-office reply, please.
    message["Auto-Submitted"] = "auto-generated"
    message.attach(_part("plain", mail.text))
    message.attach(_part("html", mail.html))
    return Email(id=email_id, sender=sender, recipient=recipient, content=message.as_bytes())


def _part(subtype: str, text: str) -> MIMENonMultipart:
    part = MIMENonMultipart("text", subtype, charset="utf-8", policy=_POLICY)
    part.set_payload(text, charset=_UTF8)
    return part
