"""Lines of any logger hold no secret, and are one line. Ours remain readable."""

from __future__ import annotations

import asyncio
import io
import logging
import subprocess
import sys

import pytest

from tornado_service.app import TornadoService
from tornado_service.doctor.command import format_findings
from tornado_service.hub.client import HubUnavailable
from tornado_service.selfcheck import Finding
from tornado_service.telemetry.log import ServiceLogFormatter
from tornado_service.telemetry.redaction import redact_text, redact_uri
from tornado_service.testing import PREFIX, Fetch

SECRET = "S3cr3tValue"


@pytest.mark.parametrize(
    "text",
    [
        # as Tornado, aiohttp, requests, curl and asyncio quote a request
        rf"Malformed HTTP message from 127.0.0.1: Invalid header value 'token {SECRET}\r'",
        f"Malformed HTTP message from ::1: Invalid Host header: 'h,token a {SECRET}'",
        f"Malformed HTTP message from ::1: Invalid Host header: 'h,\\'token\\' a\\'{SECRET}'",
        f"Malformed HTTP message from ::1: Unsupported Transfer-Encoding token a {SECRET}",
        f"Malformed HTTP message from ::1: Only integer Content-Length is allowed: a {SECRET}",
        rf'Invalid header value "Bearer {SECRET}\x00"',
        f"got token {SECRET}",
        f"got Bearer {SECRET}.",
        f"got BASIC {SECRET}=",
        f"got token\t{SECRET}",
        f"got token  {SECRET}",
        f"got token\r\n {SECRET}",
        f"token%20{SECRET}",
        f"Bearer+{SECRET}",
        rf"token\t{SECRET}",
        f"token '{SECRET}'",
        f'token "{SECRET}"',
        f"token b'{SECRET}'",
        f"token, {SECRET}",
        f"['token', '{SECRET}']",
        f"token token {SECRET}",
        "token secretvalue",
        f"Authorization: token {SECRET}",
        f"authorization:Bearer {SECRET}",
        f"Authorization: Negotiate {SECRET}",
        f'Authorization: Digest username="x", response="{SECRET}"',
        f"Proxy-Authorization: Basic {SECRET}",
        f"{{'Authorization': 'token {SECRET}'}}",
        f"{{'Authorization': b'Negotiate {SECRET}'}}",
        f"[('Authorization', 'Negotiate {SECRET}')]",
        rf"b'GET / HTTP/1.1\r\nAuthorization: Negotiate {SECRET}\r\n\r\n'",
        rf"b'GET / HTTP/1.1\r\nCookie: a=b; service-x={SECRET}\r\n\r\n'",
        f"Cookie: a=b; service-x={SECRET}",
        f"{{'Cookie': 'a=\"b\"; service-x={SECRET}'}}",
        f"Set-Cookie: service-x={SECRET}; Path=/",
        # as Tornado quotes cookies
        f"Tampered cookie b'2|1:0|{SECRET}'",
        f"Invalid cookie signature b'{SECRET}'",
        f"Cookie timestamp in future; possible tampering b'{SECRET}'",
        # values of names
        f"token=b'{SECRET}'",
        f"('cookie_secret', b'{SECRET}')",
        rf"{{\"token\": \"{SECRET}\"}}",
        rf"api_token='it\'s {SECRET}'",
        f"next=%2Foauth_callback%3Fcode%3D{SECRET}%26state%3D{SECRET}",
        f"%22token%22%3A%22{SECRET}%22",
        f"password='half of it {SECRET}'",
        f"hubclient.api_token=['{SECRET}']",
        # addresses
        f"could not connect to postgresql://user:{SECRET}@host/name",
        f"could not connect to postgresql://user:p@ss/{SECRET}@host/name",
        f"could not connect to postgresql://user:12/{SECRET}@host/name",
        f"https://{SECRET}@example.org/x",
        f"https://user:p/{SECRET}@example.org/x",
    ],
)
def test_a_secret_is_redacted_in_a_line_of_a_library(text: str) -> None:
    assert SECRET not in redact_text(text)
    assert "secretvalue" not in redact_text(text)
    assert "[secret]" in redact_text(text)
    assert redact_text(redact_text(text)) == redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "The token is missing.",
        "The hub's token was refused",
        "The token's owner has gone",
        "A token that lacks the scope list:users may not do this.",
        "the service's token lacks read:users:activity, and the role says nothing of it",
        "No valid token, or it has expired",
        "token expired",
        "invalid token",
        "Basic settings",
        "Basic authentication is not supported",
        "Bearer authentication failed",
        "Tokens and cookies of others",
        "Listening on all interfaces port 8181 for /services/x/",
        "https://hub.example.org/user/ada@example.org/lab",
        "http://hub:8081/user/ada@example.org/lab",
        "Malformed HTTP message from 127.0.0.1: no colon in header line",
        "hub.service.extraPorts, set token [secret] there",
        "hub.services.x.apiToken, a shorter one: openssl rand -hex 16",
        "a password that must be percent-encoded: write @ as %40, / as %2F, : as %3A",
        "c.A.database_url is no URL, such as postgresql+psycopg2://user:password@host/name.",
    ],
)
def test_plain_english_is_left_alone(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "uri",
    [
        f"/a?q=token%20{SECRET}",
        f"/a?q=Bearer+{SECRET}",
        f"/a/basic%20{SECRET}/b",
        f"/a?next=https://u:{SECRET}@h/",
        f"/a?id_jwt={SECRET}&SAMLassertion={SECRET}&ticket={SECRET}&refresh.pwd={SECRET}",
        f"/a?X-Amz-Signature={SECRET}&X-Amz-Credential={SECRET}&sig={SECRET}&sid={SECRET}",
        f"/a?refresh={SECRET}&xsrf={SECRET}&csrf={SECRET}&SAMLResponse={SECRET}&otp={SECRET}",
        f"/a?nonce={SECRET}&hmac={SECRET}&bearer={SECRET}&pin={SECRET}",
        f"/a?{{%22token%22:%22{SECRET}",
        f"/a?Token%3D{SECRET}",
    ],
)
def test_a_url_hides_what_follows_token(uri: str) -> None:
    assert SECRET not in redact_uri(uri)


def test_plain_queries_are_left_alone() -> None:
    uri = "/a?from=2026-01-31&group=class-a&signed=1&side=2&q=a:b&empty&mapping=1&laptop=2"
    assert redact_uri(uri) == uri


@pytest.mark.parametrize("word", ["token", "Bearer ", "basic%20", "://a:", "token token ", "\\\\"])
def test_a_long_untrusted_text_takes_no_time(word: str) -> None:
    run = (
        "import sys; from tornado_service.telemetry.redaction import redact_text;"
        " redact_text(sys.stdin.read())"
    )

    # a process, as nothing interrupts an expression
    subprocess.run(
        [sys.executable, "-c", run], input=word * 50_000, text=True, timeout=60, check=True
    )


def line_of(message: object, *args: object, error: BaseException | None = None) -> str:
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("other", logging.INFO, "x.py", 7, message, args, exc_info)
    return ServiceLogFormatter("%(message)s").format(record)


NAMES = [
    "a\nb",
    "a\r\nb",
    "a\x1b[31mb",
    "a\u2028b",
    "a\u202eb",
    "a\u200bb",
    "a\x85b",
    "a\x00b",
    "a\x7fb",
    "a\udc80b",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_escaped_in_a_line_of_a_library(name: str) -> None:
    line = line_of("User not found: %s", name)

    assert line.isprintable()
    assert line == f"User not found: {name.encode('unicode_escape').decode()}"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_escaped_in_the_text_of_an_error(name: str) -> None:
    def fail() -> None:
        try:
            raise KeyError
        except KeyError:
            raise ValueError(f"nobody has the name {name}") from RuntimeError(name)

    with pytest.raises(ValueError, match="nobody") as caught:
        fail()
    lines = line_of("It failed", error=caught.value).split("\n")

    assert all(line.isprintable() for line in lines)
    escaped = name.encode("unicode_escape").decode()
    assert lines[-1].strip() == f"ValueError: nobody has the name {escaped}"
    assert f"RuntimeError: {escaped}" in map(str.strip, lines)
    assert any(line.strip().startswith('File "') for line in lines)


def test_a_traceback_that_a_library_has_formatted_is_redacted() -> None:
    with pytest.raises(ValueError, match="token") as caught:
        raise ValueError(f"token {SECRET}")
    error = caught.value
    exc_info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("other", logging.INFO, "x.py", 7, "It failed", None, exc_info)
    logging.Formatter().format(record)

    assert SECRET not in ServiceLogFormatter("%(message)s").format(record)


def test_a_line_whose_arguments_do_not_fit_shows_none_of_them() -> None:
    line = line_of("User %d", SECRET)

    assert line.startswith("User %d")
    assert SECRET not in line


@pytest.mark.parametrize(
    "header", ["Authorization: token %s", "X-Own: Bearer %s", "Cookie: a=b; service-x=%s"]
)
@pytest.mark.parametrize("end", ["\r", "\x00", "\x0b\x1b[31m", "\n \x00"])
async def test_a_request_that_tornado_refuses_is_a_line_without_secrets(
    service: TornadoService, monkeypatch: pytest.MonkeyPatch, header: str, end: str
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(service.log.handlers[0], "stream", log)
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    request = f"GET {PREFIX} HTTP/1.1\r\nHost: x\r\n{header % SECRET}{end}\r\n\r\n"

    writer.write(request.encode())
    assert b"400" in (await reader.read()).split(b"\r\n")[0]
    writer.close()
    await writer.wait_closed()

    assert "Malformed HTTP message" in log.getvalue()
    assert SECRET not in log.getvalue()
    assert log.getvalue().removesuffix("\n").isprintable()


@pytest.mark.parametrize(
    "address", [f"token a {SECRET}", f'"{SECRET}', SECRET, f"1.2.3.4 {SECRET}"]
)
async def test_only_an_address_of_x_forwarded_for_is_in_an_access_line(
    service: TornadoService, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(service.log.handlers[0], "stream", log)

    await fetch("nothing", headers={"X-Forwarded-For": f"10.0.0.1, {address}"})
    await fetch("nothing", headers={"X-Forwarded-For": "10.0.0.1, ::ffff:10.1.2.3"})
    await fetch("nothing", headers={"X-Forwarded-For": "10.0.0.1, 10.1.2.4:5678"})

    assert SECRET not in log.getvalue()
    for shown in ("127.0.0.1", "::ffff:10.1.2.3", "10.1.2.4:5678"):
        assert f"(@{shown}) " in log.getvalue()


@pytest.mark.parametrize("end", ["\n", "\u2028"])
async def test_a_token_that_no_header_can_hold_is_in_no_reason(
    service: TornadoService, end: str
) -> None:
    headers = {"Authorization": f"token {SECRET}{end}"}

    with pytest.raises(HubUnavailable) as caught:
        await service.hub.request("GET", service.auth.api_url, headers=headers)

    assert SECRET not in caught.value.detail
    assert SECRET not in str(caught.value)


def test_a_report_of_the_doctor_has_no_control_characters() -> None:
    finding = Finding("apps", "wrong", "a\x1b[31m\u202e", "b\n")

    assert all(line.isprintable() for line in format_findings([finding]).split("\n"))
    assert len(format_findings([finding]).split("\n")) == 2
