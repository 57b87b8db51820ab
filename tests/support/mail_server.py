"""A mail server that speaks SMTP (RFC 5321) on 127.0.0.1, and may refuse, hang or hang up."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import BinaryIO, Literal

#: What it accepts.
USER, PASSWORD = "reports", "s3cr3t-Passw0rd"


class HungUp(Exception):
    """The server closes the connection."""


@dataclass
class Delivery:
    """A message that the server has accepted."""

    sender: str
    recipients: list[str]
    content: bytes
    is_encrypted: bool
    user: str

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message


@dataclass
class MailServer:
    """Settings may be changed while it runs.

    Attributes:
        replies: by the beginning of a command, or ``connect`` or ``content``: in place of its own
            reply; ``hang``: none follows; ``close``: it closes the connection.
        extensions: what it offers besides STARTTLS.
    """

    tls: Literal["none", "starttls", "tls"] = "none"
    context: ssl.SSLContext | None = None
    replies: dict[str, str] = field(default_factory=dict)
    extensions: list[str] = field(default_factory=lambda: ["AUTH PLAIN"])
    deliveries: list[Delivery] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            if self.tls == "tls":
                assert self.context
                connection = self.context.wrap_socket(connection, server_side=True)
        except OSError:  # the client refuses the certificate
            connection.close()
            return
        dialogue = Dialogue(self, connection)
        with suppress(OSError, HungUp):
            dialogue.run()
        dialogue.lines.close()
        dialogue.connection.close()


class Dialogue:
    def __init__(self, server: MailServer, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.lines: BinaryIO = connection.makefile("rb")
        self.user = self.sender = ""
        self.recipients: list[str] = []

    @property
    def is_encrypted(self) -> bool:
        return isinstance(self.connection, ssl.SSLSocket)

    def run(self) -> None:
        self.reply("connect", "220 mail.test ESMTP")
        while line := self.lines.readline().decode(errors="replace").rstrip("\r\n"):
            self.server.commands.append(line)
            self.answer(line.partition(" ")[0].upper(), line)
            if line.upper() == "QUIT":
                return

    def reply(self, about: str, own: str) -> bool:
        """Reply to a command; return whether the reply is its own."""
        other = next((self.server.replies[key] for key in self.server.replies
                      if about.upper().startswith(key.upper())), "")  # fmt: skip
        if other == "hang":
            self.server.ended.wait()
        if other in ("hang", "close"):
            self.connection.shutdown(socket.SHUT_RDWR)
            raise HungUp
        self.connection.sendall((other or own).encode() + b"\r\n")
        return not other

    def answer(self, verb: str, line: str) -> None:
        if verb in ("EHLO", "HELO"):
            offered = ["STARTTLS"] * (self.server.tls == "starttls" and not self.is_encrypted)
            names = ["mail.test", *offered, *self.server.extensions]
            self.reply(line, "\r\n".join([*(f"250-{name}" for name in names[:-1]),
                                          f"250 {names[-1]}"]))  # fmt: skip
        elif verb == "STARTTLS":
            if self.reply(line, "220 go ahead"):
                assert self.server.context
                self.lines.close()
                self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
                self.lines = self.connection.makefile("rb")
        elif verb == "AUTH":
            _, name, password = base64.b64decode(line.split()[2]).decode().split("\0")
            is_right = (name, password) == (USER, PASSWORD)
            if self.reply(line, "235 hello" if is_right else "535 5.7.8 authentication failed"):
                self.user = name * is_right
        elif verb == "MAIL":
            self.sender, self.recipients = address_in(line), []
            self.reply(line, "250 ok")
        elif verb == "RCPT":
            if self.reply(line, "250 ok"):
                self.recipients.append(address_in(line))
        elif verb == "DATA":
            if self.reply(line, "354 end with a dot"):
                content = b"".join(iter(self.lines.readline, b".\r\n"))
                if self.reply("content", "250 accepted"):
                    content = re.sub(rb"^\.", b"", content, flags=re.MULTILINE)
                    delivery = Delivery(
                        self.sender, self.recipients, content, self.is_encrypted, self.user
                    )
                    self.server.deliveries.append(delivery)
        else:
            self.reply(line, "221 bye" if verb == "QUIT" else "250 ok")


def address_in(line: str) -> str:
    found = re.search(r"<(.*?)>", line)
    assert found
    return found[1]


@contextmanager
def serving(server: MailServer) -> Iterator[MailServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        threading.Thread(target=server.serve, args=(listener,), daemon=True).start()
        yield server
        server.ended.set()
        listener.shutdown(socket.SHUT_RDWR)
