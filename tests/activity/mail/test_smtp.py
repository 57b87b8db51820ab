"""Messages are sent, or the reason says what to change; the password is in none."""

from __future__ import annotations

import socket
from dataclasses import replace
from email.message import EmailMessage

import pytest

from tests.support.mail_server import PASSWORD, USER, MailServer
from tornado_service.activity.mail import smtp
from tornado_service.activity.mail.message import report_message
from tornado_service.activity.mail.smtp import MailError, send


def to(*recipients: str, sender: str = "hub@example.org") -> EmailMessage:
    return report_message(sender, recipients, "Usage", "Text", "<html>", "report.html")


def client_of(server: MailServer, security: str = "none", **settings: str) -> smtp.MailServer:
    return smtp.MailServer("localhost", server.port, security, **settings)


def failure(server: smtp.MailServer, message: EmailMessage | None = None) -> str:
    with pytest.raises(MailError) as caught:
        send(server, message or to("dean@example.org"))
    assert PASSWORD not in repr(caught.value)
    return str(caught.value).replace(str(server), "SERVER")


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
@pytest.mark.parametrize("account", [{}, {"user": USER, "password": PASSWORD}])
def test_a_message_is_sent(smtp_server: MailServer, security: str, account: dict[str, str]) -> None:
    smtp_server.tls = security  # type: ignore[assignment]

    assert send(client_of(smtp_server, security, **account), to("dean@x.org", "cio@y.org")) is None

    [sent] = smtp_server.deliveries
    assert (sent.sender, sent.recipients) == ("hub@example.org", ["dean@x.org", "cio@y.org"])
    assert sent.is_encrypted is (security != "none")
    assert sent.user == account.get("user", "")
    assert smtp_server.commands[-1].upper() == "QUIT"


@pytest.mark.usefixtures("trusted")
def test_starttls_is_required(smtp_server: MailServer) -> None:
    server = client_of(smtp_server, "starttls", user=USER, password=PASSWORD)

    assert failure(server) == (
        "SERVER does not offer STARTTLS: set c.Activity.smtp_security to tls, with its port, or to"
        " none"
    )
    assert not any(line.startswith(("AUTH", "MAIL")) for line in smtp_server.commands)


@pytest.mark.usefixtures("trusted")
def test_starttls_that_the_server_refuses(smtp_server: MailServer) -> None:
    smtp_server.tls = "starttls"
    smtp_server.replies = {"STARTTLS": "454 4.7.0 TLS not available"}

    assert "(454 4.7.0 TLS not available)" in failure(client_of(smtp_server, "starttls"))
    assert not smtp_server.deliveries


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_is_not_trusted(smtp_server: MailServer, security: str) -> None:
    smtp_server.tls = security  # type: ignore[assignment]
    server = client_of(smtp_server, security, user=USER, password=PASSWORD)

    reason = failure(server)

    assert reason.startswith("the certificate of SERVER is not valid (unable to get local issuer")
    assert "set c.Activity.smtp_host to the name in the certificate, or SSL_CERT_FILE" in reason
    assert not any(line.startswith("AUTH") for line in smtp_server.commands)


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_host(smtp_server: MailServer) -> None:
    smtp_server.tls = "tls"

    reason = failure(replace(client_of(smtp_server, "tls"), host="127.0.0.1"))

    assert "IP address mismatch" in reason


@pytest.mark.usefixtures("trusted")
def test_tls_where_the_server_speaks_none(smtp_server: MailServer) -> None:
    reason = failure(client_of(smtp_server, "tls"))

    assert reason.startswith("SERVER does not speak TLS (")
    assert reason.endswith("check c.Activity.smtp_port and c.Activity.smtp_security")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("", "(535 5.7.8 authentication failed)"),
        ("535-5.7.139 Authentication unsuccessful,\r\n535 5.7.139 disabled for the tenant",
         "(535 5.7.139 Authentication unsuccessful, 5.7.139 disabled for the tenant)"),
    ],
)  # fmt: skip
def test_a_sign_in_that_is_refused(smtp_server: MailServer, reply: str, said: str) -> None:
    smtp_server.replies = {"AUTH": reply} if reply else {}

    assert failure(client_of(smtp_server, user=USER, password="of somebody else")) == (
        f"SERVER refuses the sign-in {said}: check c.Activity.smtp_user and"
        " c.Activity.smtp_password"
    )


def test_the_password_is_in_no_message(smtp_server: MailServer) -> None:
    server = client_of(smtp_server, user=USER, password=PASSWORD)
    encoded = "AHJlcG9ydHMAczNjcjN0LVBhc3N3MHJk"
    smtp_server.replies = {"AUTH": f"535 unknown command: AUTH PLAIN {encoded} {PASSWORD}"}

    assert "(535 unknown command: AUTH PLAIN [secret] [secret])" in failure(server)
    assert f"AUTH PLAIN {encoded}" in smtp_server.commands
    assert PASSWORD not in repr(server)


def test_a_sign_in_that_is_not_offered(smtp_server: MailServer) -> None:
    server = client_of(smtp_server, user=USER, password=PASSWORD)
    smtp_server.extensions = ["AUTH GSSAPI"]
    assert failure(server) == "SERVER offers no sign-in by CRAM-MD5, PLAIN or LOGIN"

    smtp_server.extensions = ["SIZE 1000000"]
    assert failure(server).startswith("SERVER offers no sign-in: check c.Activity.smtp_port")


def test_the_others_get_a_message_that_one_recipient_is_refused(smtp_server: MailServer) -> None:
    smtp_server.replies = {"RCPT TO:<gone@x.org>": "550 5.1.1 user unknown"}

    refused = send(client_of(smtp_server), to("gone@x.org", "dean@x.org"))

    assert str(refused).partition(" ")[2] == (
        "refuses the recipient gone@x.org (550 5.1.1 user unknown): check"
        " c.Activity.report_recipients"
    )
    assert [sent.recipients for sent in smtp_server.deliveries] == [["dean@x.org"]]


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ({"RCPT": "550 5.1.1 user unknown"},
         "SERVER refuses the recipients a@x.org, b@x.org (550 5.1.1 user unknown): check"
         " c.Activity.report_recipients"),
        ({"MAIL": "530 5.7.0 authentication required"},
         "SERVER refuses mail from hub@example.org (530 5.7.0 authentication required): set"
         " c.Activity.smtp_user and c.Activity.smtp_password, or c.Activity.smtp_security"),
        ({"MAIL": "550 5.7.60 not your address"},
         "SERVER refuses mail from hub@example.org (550 5.7.60 not your address): check"
         " c.Activity.smtp_sender"),
        ({"content": "552 5.3.4 too big"},
         "SERVER refuses the message with status code 552 (552 5.3.4 too big)"),
        ({"DATA": "451 \x1b[31mlater\x07"},
         "SERVER refuses the message with status code 451 (451 [31mlater)"),
        ({"connect": "554 not you " + "x" * 1000},
         f"SERVER refuses the message with status code 554 (554 not you {'x' * 188}…)"),
        ({"MAIL": "552 5.3.4 too big"},
         "SERVER refuses mail from hub@example.org (552 5.3.4 too big)"),
        ({"MAIL": "451 4.7.1 greylisted"},
         "SERVER refuses mail from hub@example.org (451 4.7.1 greylisted)"),
        *(({step: "close"}, "SERVER closes the connection: check c.Activity.smtp_host and"
           " c.Activity.smtp_port") for step in ("connect", "EHLO", "DATA", "content")),
    ],
)  # fmt: skip
def test_a_message_that_is_refused(
    smtp_server: MailServer, replies: dict[str, str], said: str
) -> None:
    smtp_server.replies = replies

    reason = failure(client_of(smtp_server), to("a@x.org", "b@x.org"))

    assert reason == said
    assert not smtp_server.deliveries


@pytest.mark.parametrize("reply", ["421 closing", "close", "hang"])
def test_what_follows_the_message_does_no_harm(
    smtp_server: MailServer, reply: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT", 0.2)
    smtp_server.replies = {"QUIT": reply}

    assert send(client_of(smtp_server), to("dean@x.org")) is None
    assert len(smtp_server.deliveries) == 1


@pytest.mark.parametrize("step", ["connect", "EHLO", "MAIL", "content"])
def test_a_server_that_hangs(
    smtp_server: MailServer, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT", 0.2)
    smtp_server.replies = {step: "hang"}

    reason = failure(client_of(smtp_server))

    assert reason.startswith("SERVER does not respond within 0.2 s: check c.Activity.smtp_host")
    assert "port 465 needs c.Activity.smtp_security = 'tls'" in reason


@pytest.mark.usefixtures("trusted")
def test_starttls_where_the_server_speaks_tls_from_the_beginning(
    smtp_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT", 0.2)
    smtp_server.tls = "tls"

    assert "needs c.Activity.smtp_security = 'tls'" in failure(client_of(smtp_server, "starttls"))


def test_a_port_that_nobody_listens_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    reason = failure(smtp.MailServer("127.0.0.1", port, "none"))

    assert reason.startswith("no connection to SERVER (Connection refused): check")
    assert "a firewall or a network policy" in reason


@pytest.mark.parametrize("host", ["mail.invalid", "mail..test", "smtp://mail.invalid"])
def test_a_host_that_does_not_exist(host: str) -> None:
    assert "c.Activity.smtp_host" in failure(smtp.MailServer(host, 587, "starttls"))


def test_an_address_that_is_not_ascii(smtp_server: MailServer) -> None:
    message = to("dekänin@x.org")
    assert failure(client_of(smtp_server), message).startswith(
        "SERVER does not support addresses with characters other than ASCII"
    )

    smtp_server.extensions = ["SMTPUTF8", "8BITMIME"]
    assert send(client_of(smtp_server), message) is None
    [sent] = smtp_server.deliveries
    assert sent.recipients == ["dekänin@x.org"]
    assert sent.message["To"] == "dekänin@x.org"
