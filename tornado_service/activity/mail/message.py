"""The message with a report, and the addresses in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

#: A name, ``@`` and a domain, without what has a meaning in a header.
_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\]+")


def check_addresses(value: str | Sequence[str]) -> None:
    """Check a mail address, which may be empty, or several, which may not.

    Raises:
        ValueError: one cannot be used; says what to write.
    """
    addresses = list(filter(None, [value])) if isinstance(value, str) else value
    for address in addresses:
        if not _is_address(address):
            raise ValueError(
                f"{address!r} is not a mail address; write one such as hub@example.org"
            )


def _is_address(text: str) -> bool:
    if not (_ADDRESS.fullmatch(text) and text.isprintable()):
        return False
    try:
        _ascii_domain(text)
    except UnicodeError:  # an empty or too long part
        return False
    return True


def _ascii_domain(address: str) -> str:
    return address.rpartition("@")[2].encode("idna").decode()


def report_message(
    sender: str, recipients: Sequence[str], subject: str, text: str, report: str, file_name: str
) -> EmailMessage:
    """A message with the report as an attachment; the same one, if it is made again."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = " ".join("".join(map(_printable, subject)).split())
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Date"] = formatdate()
    # by which mail servers recognize a message that was sent twice
    parts = "\n".join([sender, *recipients, message["Subject"], file_name])
    digest = hashlib.sha256(parts.encode()).hexdigest()[:32]
    message["Message-ID"] = f"<report-{digest}@{_ascii_domain(sender)}>"
    # against replies of programs: https://www.rfc-editor.org/rfc/rfc3834#section-5
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="quoted-printable")
    message.add_attachment(
        report.encode(),
        maintype="text",
        subtype="html",
        filename=file_name,
        params={"charset": "utf-8"},
    )
    return message


def _printable(character: str) -> str:
    return character if character.isprintable() else " "
