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
    redact_text,
    redact_uri,
    visitor_text,
)
from tornado_service.testing import PREFIX, StandInHub, Visitor


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
def test_secrets_are_redacted(text: str, secret: str) -> None:
    assert secret not in redact_text(text)
    assert "[secret]" in redact_text(text)


def test_a_url_keeps_all_but_its_secrets() -> None:
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
def test_a_url_hides_secrets_however_they_are_written(query: str) -> None:
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
    """Texts for which an expression with nested repetition takes minutes."""
    pieces = ["key", "a.", "key=", "token ", "-key", "key: ", 'key="', "key='", "key = ", "?key&"]
    random = Random(7)
    mixed = ("".join(random.choices("".join(pieces) + "Z", k=100_000)) for _ in range(5))
    return [
        "/?" + "key" * 20_000,
        "key" + " " * 100_000,
        *(piece * 50_000 for piece in pieces),
        *mixed,
    ]


MEASURE = """
import json, sys, time
from tornado_service.telemetry import redaction

def seconds(text):
    began = time.process_time()
    redaction._SECRET_PAIR.sub("", redaction._SECRET_WORD.sub("", text))
    redaction._SECRET_HEADER.sub("", redaction._REJECTED_BY_TORNADO.sub("", text))
    redaction._MALFORMED.sub("", text)
    return time.process_time() - began

for text in json.load(sys.stdin):
    print(*(min(seconds(text[:size]) for _ in range(3)) for size in (4_000, 40_000)))
"""


def test_the_time_to_redact_a_text_grows_with_its_length_only() -> None:
    """For the expressions themselves: the time is short even without truncation."""
    # a process, as nothing interrupts an expression
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=json.dumps(hostile_texts()),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    for text, line in zip(hostile_texts(), measured.stdout.splitlines(), strict=True):
        short, long = map(float, line.split())
        assert long < 30 * short + 0.01, text[:20]  # with quadratic time, it is 100


def test_one_record_is_short_whatever_an_error_quotes() -> None:
    try:
        raise ValueError("key=" * 250_000)
    except ValueError:
        record = logging.LogRecord(
            "reports", logging.ERROR, "app.py", 7, "%s", ("y" * 10**6,), sys.exc_info()
        )

    assert len(ServiceLogFormatter("%(message)s").format(record)) < 3 * MAX_MESSAGE


def test_a_known_secret_is_redacted_where_a_text_is_cut() -> None:
    formatter = ServiceLogFormatter("%(message)s")
    formatter.secrets = ("abc" * 20,)
    text = "x" * (MAX_MESSAGE - 10) + "abc" * 20
    record = logging.LogRecord("reports", logging.INFO, "app.py", 7, text, None, None)

    assert "abc" not in formatter.format(record)


def test_values_chosen_by_users_are_short_and_on_one_line() -> None:
    assert visitor_text("a\nb\x1b[31m") == r"a\nb\x1b[31m"
    assert len(visitor_text("x" * 10_000)) < 600


def test_lines_look_like_the_hubs(caplog: pytest.LogCaptureFixture) -> None:
    from tornado_service.telemetry.log import LOG_FORMAT

    record = logging.LogRecord("reports", logging.INFO, "app.py", 7, "hello", None, None)
    formatter = ServiceLogFormatter(LOG_FORMAT, "%Y-%m-%d %H:%M:%S", color=False)

    line = formatter.format(record)

    assert line.startswith("[I 20")
    assert line.endswith(" reports app:7] hello")


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
