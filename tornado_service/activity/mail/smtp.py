"""Sends a message through a mail server."""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage

from ...telemetry.redaction import REDACTED

#: Seconds that the mail server may take for each step.
TIMEOUT = 30.0

#: Characters of a server's reply that are quoted.
MAX_REPLY = 200

#: What to change, by the status code with which a server refuses a sender, if not the sender.
SENDER_FIXES = {
    530: "set c.Activity.smtp_user and c.Activity.smtp_password, or c.Activity.smtp_security",
    552: "",  # the message is too large
}


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
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class MailError(Exception):
    """A message was not mailed.

    Args:
        reason: what is wrong, the same each time for the same fault.
        reply: of the server; it may differ each time.
        fix: what to change.
    """

    def __init__(self, reason: str, reply: str = "", fix: str = "") -> None:
        super().__init__(reason, reply, fix)
        self.reason = reason
        self.reply = reply
        self.fix = fix

    def __str__(self) -> str:
        reply = f" ({self.reply})" if self.reply else ""
        return f"{self.reason}{reply}: {self.fix}" if self.fix else f"{self.reason}{reply}"


def send(server: MailServer, message: EmailMessage) -> MailError | None:
    """Send a message. Blocks.

    Returns:
        Which recipients the server refuses, if it has accepted the message for others.

    Raises:
        MailError: nobody gets the message.
    """
    try:
        with closing(_connect(server)) as connection:
            _sign_in(connection, server)
            refused = connection.send_message(message)
            with suppress(OSError):  # the message is on its way, whatever the reply
                connection.quit()
    except (OSError, ValueError) as error:
        raise _explain(error, server) from None  # whose text may have the password
    return _refused_recipients(refused, server) if refused else None


def _connect(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    try:
        if server.security == "starttls":
            connection.ehlo_or_helo_if_needed()
            if not connection.has_extn("starttls"):
                raise MailError(
                    f"{server} does not offer STARTTLS",
                    fix="set c.Activity.smtp_security to tls, with its port, or to none",
                )
            connection.starttls(context=context)
    except BaseException:
        connection.close()
        raise
    return connection


def _sign_in(connection: smtplib.SMTP, server: MailServer) -> None:
    if not server.user:
        return
    connection.ehlo_or_helo_if_needed()
    if not connection.has_extn("auth"):
        raise MailError(
            f"{server} offers no sign-in",
            fix="check c.Activity.smtp_port and c.Activity.smtp_security, or set neither"
            " c.Activity.smtp_user nor c.Activity.smtp_password",
        )
    try:
        connection.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as error:
        raise MailError(
            f"{server} refuses the sign-in",
            _without_password(_reply(error.smtp_code, error.smtp_error), server),
            "check c.Activity.smtp_user and c.Activity.smtp_password",
        ) from None
    except smtplib.SMTPException as error:
        if type(error) is not smtplib.SMTPException:
            raise
        raise MailError(f"{server} offers no sign-in by CRAM-MD5, PLAIN or LOGIN") from None


def _explain(error: Exception, server: MailServer) -> MailError:
    """What went wrong, and what to change."""
    where = "check c.Activity.smtp_host and c.Activity.smtp_port"
    blocked = f"{where}, and whether a firewall or a network policy blocks the port"
    cause: BaseException | None = error
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, OSError):
        cause = error.__context__  # smtplib has the rest in its text only
    if isinstance(cause, smtplib.SMTPRecipientsRefused):
        return _refused_recipients(cause.recipients, server)
    if isinstance(cause, smtplib.SMTPSenderRefused):
        reply = _reply(cause.smtp_code, cause.smtp_error)
        fix = SENDER_FIXES.get(cause.smtp_code, "check c.Activity.smtp_sender")
        fix = fix if _is_permanent(cause.smtp_code) else ""
        return MailError(f"{server} refuses mail from {cause.sender}", reply, fix)
    if isinstance(cause, smtplib.SMTPResponseException):
        return MailError(
            f"{server} refuses the message with status code {cause.smtp_code}",
            _reply(cause.smtp_code, cause.smtp_error),
        )
    if isinstance(cause, smtplib.SMTPNotSupportedError):
        return MailError(
            f"{server} does not support addresses with characters other than ASCII",
            fix="check c.Activity.smtp_sender and c.Activity.report_recipients",
        )
    if isinstance(cause, smtplib.SMTPServerDisconnected):
        return MailError(f"{server} closes the connection", fix=where)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return MailError(
            f"the certificate of {server} is not valid",
            cause.verify_message,
            "set c.Activity.smtp_host to the name in the certificate, or SSL_CERT_FILE in the"
            " service's environment to the certificate of the authority that signs it",
        )
    if isinstance(cause, ssl.SSLError):
        return MailError(
            f"{server} does not speak TLS",
            cause.reason or "",
            "check c.Activity.smtp_port and c.Activity.smtp_security",
        )
    if isinstance(cause, socket.gaierror):
        return MailError(f"no address is known for {server.host}", fix="check c.Activity.smtp_host")
    if isinstance(cause, TimeoutError):
        return MailError(
            f"{server} does not respond within {TIMEOUT:g} s",
            fix=f"{blocked}; port 465 needs c.Activity.smtp_security = 'tls'",
        )
    if isinstance(cause, OSError) and not isinstance(cause, smtplib.SMTPException):
        return MailError(f"no connection to {server}", cause.strerror or "", blocked)
    return MailError(f"{server} cannot be used ({type(cause).__name__})", fix=where)


def _refused_recipients(refused: dict[str, tuple[int, bytes]], server: MailServer) -> MailError:
    code, text = next(iter(refused.values()))
    return MailError(
        f"{server} refuses the recipient{'s' * (len(refused) > 1)} {', '.join(sorted(refused))}",
        _reply(code, text),
        "check c.Activity.report_recipients" if _is_permanent(code) else "",
    )


def _is_permanent(code: int) -> bool:
    """Whether the same command would be refused again: RFC 5321, 4.2.1."""
    return code >= 500


def _reply(code: int, text: bytes | str) -> str:
    """A reply in one line of printable characters."""
    decoded = text.decode(errors="replace") if isinstance(text, bytes) else text
    words = "".join(each if each.isprintable() else " " for each in decoded).split()
    line = " ".join([str(code), *words])
    return line if len(line) <= MAX_REPLY else f"{line[:MAX_REPLY]}…"


def _without_password(reply: str, server: MailServer) -> str:
    """A reply without the password, if a server repeats the command that has it."""
    texts = [f"\0{server.user}\0{server.password}", server.password]
    encoded = [base64.b64encode(text.encode()).decode() for text in texts]
    for secret in (*encoded, server.password):
        reply = reply.replace(secret, REDACTED)
    return reply
