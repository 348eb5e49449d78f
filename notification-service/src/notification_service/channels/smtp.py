"""E-mails by SMTP (RFC 5321)."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from notification_service.channels.port import Answer, Email
from notification_service.values.safe_text import loggable_answer
from notification_service.values.smtp_server import SmtpServer
from notification_service.values.vocabulary import Outcome

_OK_CODES = frozenset({250, 251, 252})


class SmtpChannel:
    """Sends each e-mail in a session of its own, so that a broken one concerns no other.

    A server that took the e-mail and lost its answer gets it again, with the same Message-ID.
    """

    name = "smtp"

    def __init__(self, server: SmtpServer, *, tls_context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._tls = tls_context
        if self._tls is None and server.is_encrypted:
            self._tls = ssl.create_default_context()

    def send(self, email: Email) -> Answer:
        """Send it; 5xx about this e-mail is a refusal for good, everything else may go better later."""
        try:
            with self._session() as session:
                return _hand_over(session, email)
        except smtplib.SMTPResponseException as exc:
            # Connecting, encrypting or logging in failed: that is about the server, not about the e-mail.
            return Answer(Outcome.FAILED, _text(exc.smtp_code, exc.smtp_error))
        except (OSError, smtplib.SMTPException) as exc:
            return Answer(Outcome.FAILED, loggable_answer(f"{type(exc).__name__}: {exc}"))

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        session = self._connect()
        try:
            if self._server.has_starttls:
                session.starttls(context=self._tls)
            if self._server.user:
                session.login(self._server.user, self._server.password)
            session.ehlo_or_helo_if_needed()
            yield session
            with suppress(OSError, smtplib.SMTPException):
                session.quit()  # the e-mail is handed over already, whatever becomes of this
        finally:
            session.close()

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.has_tls:
            return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_s, context=self._tls)
        return smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)


def _hand_over(session: smtplib.SMTP, email: Email) -> Answer:
    code, text = session.mail(email.sender)
    if code not in _OK_CODES:
        # Our own address is refused: the operator can mend that, so the e-mail waits.
        return Answer(Outcome.FAILED, _text(code, text))
    code, text = session.rcpt(email.recipient)
    if code in _OK_CODES:
        try:
            code, text = session.data(email.content)
        except smtplib.SMTPDataError as exc:
            return _answer(exc.smtp_code, exc.smtp_error)
    return _answer(code, text)


def _answer(code: int, text: bytes | str) -> Answer:
    return Answer(_outcome(code), _text(code, text))


def _outcome(code: int) -> Outcome:
    if code in _OK_CODES:
        return Outcome.SENT
    return Outcome.REFUSED if 500 <= code <= 599 else Outcome.FAILED


def _text(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return loggable_answer(f"{code} {words}")
