import errno
import io
import json
import logging
import subprocess
import sys
from random import Random

import pytest

from tornado_service.app import TornadoService
from tornado_service.telemetry.log import ServiceLogFormatter
from tornado_service.telemetry.redaction import (
    MAX_MESSAGE,
    MAX_TEXT,
    redact_location,
    redact_text,
    redact_uri,
    visitor_text,
)
from tornado_service.testing import BROWSER, PREFIX, Fetch, StandInHub, Visitor


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: token abc123", "abc123"),
        ("{'Authorization': 'Bearer abc123'}", "abc123"),
        ('{"access_token": "abc123", "expires_in": 1}', "abc123"),
        ("GET /x?code=abc123&state=xyz", "abc123"),
        ("oauth state argument 'abc' != cookie service-x-oauth-state='abc123'", "abc123"),
        ("Cookie: service-x=abc123", "abc123"),
        ("session_id=abc123", "abc123"),
        ("PASSWORD=abc123", "abc123"),
        ("error: token=abc123", "abc123"),
        ('{"password": "half of a quoted abc123', "abc123"),
        ("{'password': 'half of a quoted abc123", "abc123"),
    ],
)
def test_secrets_are_struck_out(text: str, secret: str) -> None:
    assert secret not in redact_text(text)
    assert "[secret]" in redact_text(text)


def test_an_address_keeps_all_but_its_secrets() -> None:
    assert redact_uri("/a?code=1&page=2&my_token=3") == "/a?code=[secret]&page=2&my_token=[secret]"


@pytest.mark.parametrize(
    "query",
    [
        "a=b?token=abc123",
        "%74oken=abc123",
        "%74oken=xkey=abc123",
        "token=abc123?x",
        "next=/oauth_callback?code=abc123",
        "next=%2Foauth_callback%3Fcode%3Dabc123",
        "next=%252Foauth_callback%253Fcode%253dabc123",
    ],
)
def test_an_address_hides_secrets_however_they_are_written(query: str) -> None:
    assert "abc123" not in redact_uri(f"/a?{query}")
    assert "[secret]" in redact_uri(f"/a?{query}")


@pytest.mark.parametrize("size", range(MAX_MESSAGE - 40, MAX_MESSAGE + 10))
def test_no_secret_gets_through_where_a_long_text_is_cut(size: int) -> None:
    secret = "S3" * 20

    for pair in (
        f'"password": "a b {secret}"',
        f"token={secret}",
        f"Authorization: token {secret}",
    ):
        assert "S3" not in redact_text("x" * (size - 1) + " " + pair + " y" * 100)
    for parameter in (f"code={secret}", f"%74oken={secret}"):
        assert "S3" not in redact_uri(
            "/a?" + "x" * (size - MAX_MESSAGE + MAX_TEXT) + "&" + parameter
        )


def hostile_texts() -> list[str]:
    """Texts that an expression with nested repetition takes minutes for."""
    pieces = ["key", "a.", "key=", "token ", "-key", "key: ", 'key="', "key='", "key = ", "?key&"]
    random = Random(7)
    mixed = ("".join(random.choices("".join(pieces) + "Z", k=100_000)) for _ in range(5))
    return [
        "/?" + "key" * 20_000,
        "key" + " " * 100_000,
        *(piece * 50_000 for piece in pieces),
        *mixed,
    ]


@pytest.mark.parametrize("number", range(len(hostile_texts())))
def test_a_long_text_of_a_stranger_is_soon_scrubbed(number: int) -> None:
    """The expression itself, too: it is not the cutting alone that keeps it short."""
    text = hostile_texts()[number]
    run = (
        "import sys; from tornado_service.telemetry import log, redaction; text = sys.stdin.read();"
        " log.redact_text(text), log.redact_uri(text), redaction._SECRET_PAIR.sub('', text)"
    )

    # a process, as nothing interrupts an expression; it takes some 20 ms
    subprocess.run([sys.executable, "-c", run], input=text, text=True, timeout=60, check=True)


def test_one_record_is_short_whatever_an_error_quotes() -> None:
    try:
        raise ValueError("key=" * 250_000)
    except ValueError:
        record = logging.LogRecord(
            "reports", logging.ERROR, "app.py", 7, "%s", ("y" * 10**6,), sys.exc_info()
        )

    assert len(ServiceLogFormatter("%(message)s").format(record)) < 3 * MAX_MESSAGE


def test_a_secret_that_is_known_is_struck_out_where_a_text_is_cut() -> None:
    formatter = ServiceLogFormatter("%(message)s")
    formatter.secrets = ("abc" * 20,)
    text = "x" * (MAX_MESSAGE - 10) + "abc" * 20
    record = logging.LogRecord("reports", logging.INFO, "app.py", 7, text, None, None)

    assert "abc" not in formatter.format(record)


class Broken(io.StringIO):
    """A stream such as standard error on a full disk."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, text: str) -> int:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
        ValueError("I/O operation on closed file."),
    ],
)
async def test_a_line_that_cannot_be_written_harms_no_answer(
    hub: StandInHub, service: TornadoService, fetch: Fetch, error: Exception
) -> None:
    service.log.handlers[0].setStream(Broken(error))

    answer = await fetch("api/user", token=hub.token_for("alice"))

    assert answer.code == 200
    assert json.loads(answer.body)["name"] == "alice"
    assert service.context.open_requests == 0


def test_a_redirect_to_no_address_is_logged_all_the_same() -> None:
    assert redact_location("http://[x?code=abc123") == "http://[x"


async def test_the_hubs_own_look_is_no_line_and_a_strangers_is(
    fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    for headers in ({}, BROWSER):
        assert (await fetch("", headers=headers)).code == 302

    assert [r.levelno for r in caplog.records if r.getMessage().startswith("302 GET")] == [
        logging.DEBUG,
        logging.INFO,
    ]


def test_what_visitors_chose_is_short_and_on_one_line() -> None:
    assert visitor_text("a\nb\x1b[31m") == r"a\nb\x1b[31m"
    assert len(visitor_text("x" * 10_000)) < 600


def test_lines_look_like_the_hubs(caplog: pytest.LogCaptureFixture) -> None:
    from tornado_service.telemetry.log import LOG_FORMAT

    record = logging.LogRecord("reports", logging.INFO, "app.py", 7, "hello", None, None)
    formatter = ServiceLogFormatter(LOG_FORMAT, "%Y-%m-%d %H:%M:%S", color=False)

    line = formatter.format(record)

    assert line.startswith("[I 20")
    assert line.endswith(" reports app:7] hello")


async def test_a_line_says_who_and_what(
    hub: StandInHub, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    await fetch("api/user?token=abc", token=hub.token_for("alice"))
    await fetch("health")

    lines = {record.getMessage(): record.levelno for record in caplog.records}
    user = next(line for line in lines if "api/user" in line)
    health = next(line for line in lines if "GET /services/tornado-service/health" in line)
    assert user.startswith("200 GET /services/tornado-service/api/user?token=[secret] (alice@")
    assert lines[user] == logging.INFO
    assert lines[health] == logging.DEBUG


class TestSignIn:
    @pytest.fixture(params=["INFO", "DEBUG"])
    async def service(self, start_service, request: pytest.FixtureRequest):
        return await start_service(TornadoService={"log_level": request.param})

    async def test_no_line_of_it_holds_a_secret(
        self, hub: StandInHub, visitor: Visitor, service: TornadoService
    ) -> None:
        stderr = io.StringIO()
        service.log.handlers[0].setStream(stderr)
        await visitor.open(PREFIX)
        await visitor.fetch(PREFIX + "api/user", xsrf=True)
        await visitor.get(PREFIX + "oauth_callback?code=123456789abc&state=987654321abc")
        xsrf_token = visitor.xsrf_token
        await visitor.post("logout")

        log = stderr.getvalue()
        secrets = [*visitor.seen_secrets, *hub.users, xsrf_token, "123456789abc", "987654321abc"]
        assert "GET /services/tornado-service/" in log
        assert [secret for secret in secrets if secret in log] == []
