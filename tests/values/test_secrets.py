"""No finding and no error shows a secret that stands in the values."""

from pathlib import Path

import pytest

from tests.support.values import stop
from tornado_service.values.cli import CheckApp

SECRET = "73519428463"


@pytest.mark.parametrize(
    "text",
    [
        "hub: {db: {password: %s}}",
        "hub: {cookieSecret: %s}",
        "hub: {cookieSecret: [%s]}",
        "proxy: {secretToken: %s}",
        "hub: {services: {a: {apiToken: %s, url: 'http://hub:8181', command: [a]}}}",
        "hub: {services: {a: {url: 'http://a:%s@hub:99999', command: [a]}}}",
        "hub: {config: {ConfigurableHTTPProxy: {auth_token: %s}}}",
        "hub: {db: {password: *x%s}}",
        "hub: {db: {password: &x%s@}}",
        "hub: {db: {password: !!int x%s}}",
        "hub: {db: {password: '%s}}",
    ],
)
def test_a_secret_in_a_file_is_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "config.yaml").write_text(text % SECRET)

    assert stop(CheckApp, [f"-f{tmp_path}/config.yaml"]) in (1, 2)

    reported = "".join(capsys.readouterr())
    assert reported
    assert SECRET not in reported
