import pytest
from notification_service.values.smtp_server import SmtpServer, parse_smtp_url


def test_the_parts_of_the_url_are_read() -> None:
    server = parse_smtp_url("smtp://us%40er:p%3Ass%2F@mail.example:1025?starttls=required", timeout_s=3)

    assert server == SmtpServer(
        "mail.example", 1025, user="us@er", password="p:ss/", has_starttls=True, timeout_s=3
    )
    assert server.is_encrypted


def test_each_scheme_has_its_port() -> None:
    assert parse_smtp_url("smtp://mail.example") == SmtpServer("mail.example", 25)
    assert parse_smtp_url("smtps://mail.example/") == SmtpServer("mail.example", 465, has_tls=True)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example:25",
        "http://mail.example",
        "smtp://",
        "smtp://u:secret@mail.example:port",
        "smtp://u:secret@mail.example:99999",
        "smtp://u:secret@mail.example?tls=yes",
        "smtp://u:secret@mail.example?starttls",
        "smtp://u:secret@mail.example?starttls=maybe",
        "smtps://u:secret@mail.example?starttls=required",
        "smtp://u:secret@mail.example/folder",
    ],
)
def test_unusable_urls_are_refused_without_quoting_the_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"^its|^it must|^smtps is") as refused:
        parse_smtp_url(url)

    assert "secret" not in str(refused.value)


def test_a_password_is_not_printed() -> None:
    assert "secret" not in repr(parse_smtp_url("smtp://u:secret@mail.example"))
