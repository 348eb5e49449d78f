from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

import pytest
from notification_service.channels.port import Email
from notification_service.rendering.emails import compose_email
from notification_service.rendering.renderer import RenderedMail
from notification_service.values.vocabulary import MailLocale

ACCEPTED_AT = datetime(2026, 11, 21, 9, 5, 0, 123456, tzinfo=UTC)


def email(
    subject: str = "Reçu", mail_from: str = "Caisse <no-reply@caisse.example>", **changes: str
) -> Email:
    mail = RenderedMail(subject=subject, html="<p>é</p>" + "x" * 3000, text="é\n.\nFrom here\n")
    return compose_email(
        mail,
        email_id=changes.get("email_id", "ntf_01m7ypa888hxjc1yxqgmae1nrf"),
        mail_from=mail_from,
        recipient=changes.get("recipient", "payer@example.org"),
        locale=MailLocale.FR,
        accepted_at=ACCEPTED_AT,
    )


def parsed(content: bytes) -> EmailMessage:
    message = BytesParser(policy=default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    return message


def test_a_mail_program_reads_back_what_was_written() -> None:
    message = parsed(email(subject="Reçu de 3\u202f999,98\u00a0MAD à Épicerie « du coin » 🎉" * 4).content)

    assert message["Subject"] == "Reçu de 3\u202f999,98\u00a0MAD à Épicerie « du coin » 🎉" * 4
    assert message["To"] == "payer@example.org"
    assert message["From"] == "Caisse <no-reply@caisse.example>"
    assert message["Message-ID"] == "<ntf_01m7ypa888hxjc1yxqgmae1nrf@caisse.example>"
    assert message["Date"].datetime == ACCEPTED_AT.replace(microsecond=0)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "fr"
    assert not message.defects
    text, html = message.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().splitlines() == ["é", ".", "From here"]
    assert html.get_content().startswith("<p>é</p>")


def test_lines_are_ascii_short_and_end_in_crlf() -> None:
    content = email(recipient="a" * 64 + "@" + "b" * 60 + ".example", email_id="ntf_" + "0" * 60).content

    assert content.isascii()
    assert content.replace(b"\r\n", b"").count(b"\n") == 0
    assert max(len(line) for line in content.split(b"\r\n")) <= 150
    message = parsed(content)
    assert message["Message-ID"] == "<ntf_" + "0" * 60 + "@caisse.example>"
    assert message["To"].addresses[0].addr_spec == "a" * 64 + "@" + "b" * 60 + ".example"


def test_the_same_notification_gives_the_same_bytes() -> None:
    assert email().content == email().content


def test_a_sender_name_in_other_letters_is_encoded() -> None:
    message = parsed(email(mail_from='"Épicerie, Ltd" <shop@caisse.example>').content)

    assert message["From"].addresses[0].display_name == "Épicerie, Ltd"
    assert message["From"].addresses[0].addr_spec == "shop@caisse.example"


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@example.org", "a\nb"])
def test_a_header_cannot_be_broken(subject: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        email(subject=subject)
