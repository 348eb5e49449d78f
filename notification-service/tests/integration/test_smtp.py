"""What is special to SMTP: refusals, encryption, logging in, broken servers."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from notification_service.channels.port import Email
from notification_service.channels.smtp import SmtpChannel
from notification_service.values.smtp_server import SmtpServer
from notification_service.values.vocabulary import Outcome

EMAIL = Email("ntf_1", "no-reply@caisse.example", "payer@example.org", b"Subject: x\r\n\r\nx\r\n")


@pytest.mark.parametrize(
    ("rcpt_answer", "outcome"),
    [
        ("550 5.1.1 no such user", Outcome.REFUSED),
        ("552 5.2.2 mailbox full", Outcome.REFUSED),
        ("450 4.2.1 busy", Outcome.FAILED),
        ("421 4.3.0 closing", Outcome.FAILED),
    ],
)
def test_only_5xx_refuses_for_good(mail_server: Any, rcpt_answer: str, outcome: Outcome) -> None:
    mail_server.answers = [rcpt_answer]
    channel = SmtpChannel(SmtpServer("127.0.0.1", mail_server.port, timeout_s=60))

    answer = channel.send(EMAIL)

    assert (answer.outcome, answer.text) == (outcome, rcpt_answer)
    assert mail_server.received == []


def serve_lines(*answers: bytes) -> tuple[int, threading.Thread]:
    """Serve one connection that answers each line with the next of ``answers``, then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(60)
    port: int = listener.getsockname()[1]

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                for answer in answers:
                    connection.sendall(answer)
                    lines.readline()

    thread = threading.Thread(target=serve)
    thread.start()
    return port, thread


@pytest.mark.parametrize(
    "answers",
    [
        (),
        (b"554 no service here\r\n",),
        (b"220 hello\r\n",),
        (b"220 hello\r\n", b"250 ok\r\n", b"550 sender refused\r\n"),
        (b"220 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"),
        (b"\xff\xfe\x00 not smtp at all\r\n",),
    ],
    ids=["silent", "554-greeting", "gone-after-greeting", "sender-refused", "gone-after-data", "gibberish"],
)
def test_a_broken_server_is_a_failure_that_may_pass(answers: tuple[bytes, ...]) -> None:
    port, server = serve_lines(*answers)

    answer = SmtpChannel(SmtpServer("127.0.0.1", port, timeout_s=60)).send(EMAIL)
    server.join()

    assert answer.outcome is Outcome.FAILED
    assert answer.text


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = SmtpServer("127.0.0.1", listener.getsockname()[1], timeout_s=0.2)

        answer = SmtpChannel(server).send(EMAIL)

    assert answer.outcome is Outcome.FAILED
    assert "timed out" in answer.text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class Inbox:
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.received.append(envelope.content)
        return "250 ok"


def accept_known_user(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"user", b"p:ss")
    return AuthResult(success=known, handled=known)  # unhandled: the server answers 535 itself


@pytest.fixture
def secure_server(certificate: Path) -> Iterator[tuple[int, Inbox]]:
    """Run a server that takes e-mails only after STARTTLS and a login."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    inbox = Inbox()
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=accept_known_user,
        ready_timeout=60,
    )
    controller.start()
    yield port, inbox
    controller.stop()


def test_an_email_goes_encrypted_and_logged_in(secure_server: tuple[int, Inbox], certificate: Path) -> None:
    port, inbox = secure_server
    server = SmtpServer("localhost", port, user="user", password="p:ss", has_starttls=True, timeout_s=60)
    trusting = ssl.create_default_context(cafile=certificate)

    answer = SmtpChannel(server, tls_context=trusting).send(EMAIL)

    assert answer.outcome is Outcome.SENT
    assert inbox.received == [EMAIL.content]


def test_a_wrong_password_waits_for_the_operator(secure_server: tuple[int, Inbox], certificate: Path) -> None:
    port, inbox = secure_server
    server = SmtpServer("localhost", port, user="user", password="wrong", has_starttls=True, timeout_s=60)
    trusting = ssl.create_default_context(cafile=certificate)

    answer = SmtpChannel(server, tls_context=trusting).send(EMAIL)

    assert answer.outcome is Outcome.FAILED
    assert answer.text.startswith("535")
    assert inbox.received == []


def test_a_certificate_that_nobody_vouches_for_is_refused(secure_server: tuple[int, Inbox]) -> None:
    port, inbox = secure_server
    server = SmtpServer("localhost", port, user="user", password="p:ss", has_starttls=True, timeout_s=60)

    answer = SmtpChannel(server).send(EMAIL)

    assert answer.outcome is Outcome.FAILED
    assert "CERTIFICATE_VERIFY_FAILED" in answer.text
    assert inbox.received == []


def test_required_encryption_is_never_done_without(mail_server: Any) -> None:
    channel = SmtpChannel(SmtpServer("127.0.0.1", mail_server.port, has_starttls=True, timeout_s=60))

    answer = channel.send(EMAIL)

    assert answer.outcome is Outcome.FAILED
    assert "STARTTLS" in answer.text
    assert mail_server.received == []
