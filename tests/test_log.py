import io
import logging

import pytest

from tornado_service.app import TornadoService
from tornado_service.log import ServiceLogFormatter, plain, scrub, scrub_uri
from tornado_service.testing import PREFIX, Fetch, StandInHub, Visitor


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
    ],
)
def test_secrets_are_struck_out(text: str, secret: str) -> None:
    assert secret not in scrub(text)
    assert "[secret]" in scrub(text)


def test_an_address_keeps_all_but_its_secrets() -> None:
    assert scrub_uri("/a?code=1&page=2&my_token=3") == "/a?code=[secret]&page=2&my_token=[secret]"


def test_what_visitors_chose_is_short_and_on_one_line() -> None:
    assert plain("a\nb\x1b[31m") == r"a\nb\x1b[31m"
    assert len(plain("x" * 10_000)) < 600


def test_lines_look_like_the_hubs(caplog: pytest.LogCaptureFixture) -> None:
    from tornado_service.log import LOG_FORMAT

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
        await visitor.get(PREFIX + "logout")

        log = stderr.getvalue()
        secrets = [*visitor.seen, *hub.users, visitor.xsrf_token, "123456789abc", "987654321abc"]
        assert "GET /services/tornado-service/" in log
        assert [secret for secret in secrets if secret in log] == []
