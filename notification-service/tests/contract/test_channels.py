"""What every channel must do; both adapters pass the same tests."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from notification_service.channels.port import Channel, Email
from notification_service.channels.registry import CHANNELS, open_channel
from notification_service.channels.smtp import SmtpChannel
from notification_service.config import Config
from notification_service.values.smtp_server import SmtpServer
from notification_service.values.vocabulary import Outcome

CONTENT = (
    b"Subject: Re=?utf-8?q?=C3=A7?=u\r\nMessage-ID: <ntf_1@caisse.example>\r\n\r\n.dot\r\n..\r\nlast\r\n"
)
EMAIL = Email("ntf_1", "no-reply@caisse.example", "payer@example.org", CONTENT)


@dataclass
class Outside:
    """A channel, what has arrived at its other end, and how to put that end out of order and back."""

    channel: Channel
    arrived: Callable[[], list[bytes]]
    break_down: Callable[[], None]
    repair: Callable[[], None]


def smtp_outside(mail_server: Any) -> Outside:
    channel = SmtpChannel(SmtpServer("127.0.0.1", mail_server.port, timeout_s=60))

    def distinct() -> list[bytes]:
        # What a mailbox shows that recognises a repeated Message-ID, by which our e-mails carry one.
        return list(dict.fromkeys(mail_server.received))

    return Outside(channel, distinct, mail_server.stop, mail_server.start)


def files_outside(folder: Path) -> Outside:
    config = replace(Config.from_env(), outbox_dir=folder)

    def break_down() -> None:
        folder.write_text("a file where the folder should be")

    def arrived() -> list[bytes]:
        return [file.read_bytes() for file in sorted(folder.iterdir())] if folder.is_dir() else []

    return Outside(open_channel(config), arrived, break_down, folder.unlink)


@pytest.fixture(params=CHANNELS, ids=lambda channel: str(channel.name))
def outside(request: pytest.FixtureRequest, mail_server: Any, tmp_path: Path) -> Outside:
    if request.param is SmtpChannel:
        return smtp_outside(mail_server)
    return files_outside(tmp_path / "mail")


def test_an_email_arrives_byte_for_byte(outside: Outside) -> None:
    answer = outside.channel.send(EMAIL)

    assert answer.outcome is Outcome.SENT
    assert answer.text
    assert outside.arrived() == [CONTENT]


def test_a_repeated_email_is_one_email(outside: Outside) -> None:
    outside.channel.send(EMAIL)
    outside.channel.send(EMAIL)

    assert outside.arrived() == [CONTENT]


def test_two_letters_are_two(outside: Outside) -> None:
    outside.channel.send(EMAIL)
    outside.channel.send(replace(EMAIL, id="ntf_2", content=CONTENT.replace(b"ntf_1", b"ntf_2")))

    assert len(outside.arrived()) == 2


def test_an_outage_is_an_answer_and_passes(outside: Outside) -> None:
    outside.break_down()
    during = outside.channel.send(EMAIL)
    outside.repair()

    after = outside.channel.send(EMAIL)

    assert during.outcome is Outcome.FAILED
    assert during.text
    assert after.outcome is Outcome.SENT
    assert outside.arrived() == [CONTENT]


def test_the_settings_choose_the_channel(tmp_path: Path) -> None:
    config = replace(Config.from_env(), outbox_dir=tmp_path, smtp=SmtpServer("127.0.0.1", 25))

    assert open_channel(config).name == "smtp"
    assert open_channel(replace(config, smtp=None)).name == "eml_files"
