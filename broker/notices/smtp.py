"""Handing a letter to the operator's mail server (RFC 5321, RFC 6409)."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

from broker.errors import UpstreamUnavailable
from broker.notices.letter import Letter
from broker.settings import MailSettings

_TIMEOUT_S = 10


def send(letter: Letter, settings: MailSettings) -> None:
    """Nothing once the server has taken it. Raises UpstreamUnavailable upstream_unavailable."""
    try:
        with _connected(settings) as server:
            server.send_message(_message(letter, settings))
    except (OSError, smtplib.SMTPException) as error:
        raise UpstreamUnavailable("upstream_unavailable", type(error).__name__) from error


def _connected(settings: MailSettings) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=_TIMEOUT_S, context=context
        )
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=_TIMEOUT_S)
    try:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.user and settings.password_file:
            server.login(settings.user, settings.password_file.read_text("utf-8").strip())
    except BaseException:
        server.close()
        raise
    return server


def _message(letter: Letter, settings: MailSettings) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.written)
    domain = parseaddr(settings.sender)[1].partition("@")[2] or None
    message["Message-ID"] = make_msgid(idstring=letter.id, domain=domain)
    # RFC 3834: no holiday reply, please.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message
