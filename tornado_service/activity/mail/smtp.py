"""Mails the report of each month to those of the settings."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

#: Seconds that the mail server may take for each step.
TIMEOUT = 30.0


@dataclass(frozen=True)
class MailServer:
    """A mail server, and how to sign in to it.

    Attributes:
        security: ``starttls``: TLS is required after the connection; ``tls``: from the beginning;
            ``none``.
        user: empty: without a sign-in.
    """

    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""


def report_message(
    sender: str, recipients: Sequence[str], subject: str, text: str, report: str, file_name: str
) -> EmailMessage:
    """A message with the report as an attachment.

    Raises:
        ValueError: an address or the subject has a line break.
    """
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message.set_content(text)
    message.add_attachment(report, subtype="html", filename=file_name)
    return message


def send(server: MailServer, message: EmailMessage) -> None:
    """Send a message. Blocks.

    Raises:
        OSError: the server is not available, or refuses; `smtplib.SMTPException` is one, too.
    """
    context = ssl.create_default_context()
    if server.security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    with connection:
        if server.security == "starttls":
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, server.password)
        refused = connection.send_message(message)
    if refused:
        raise smtplib.SMTPRecipientsRefused(refused)


def describe(error: Exception) -> str:
    """An error of `send` in one line, without what the server quotes of the message."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "the mail server refuses the user or the password"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"the mail server refuses {', '.join(error.recipients)}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server does not offer what smtp_security or smtp_user needs"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server refuses with status {error.smtp_code}"
    return f"{type(error).__name__}: {error}"
