"""The value of a secret setting is in no error message."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.launched import ENVIRONMENT, run
from tornado_service.app import TornadoService
from tornado_service.testing import AppError, Fetch, StandInHub, StartService

SECRET = "s3cr3t-Value/of%it"


@pytest.mark.parametrize(
    "line",
    [
        f"c.TornadoService.cookie_secret = ['{SECRET}']",
        f"c.TornadoService.cookie_secret = {{'a': b'{SECRET}'}}",
        "c.TornadoService.cookie_secret = 1234567890123456",
        f"c.TornadoService.cookie_secret = undefined_{SECRET.split('/')[0].replace('-', '_')}",
        f"c.TornadoService.cookie_secret = (\n    int('{SECRET}')\n)",
        f"c.TornadoService.cookie_secret = '{SECRET}\\d' + 5",
        f"c.TornadoService.cookie_secret = '{SECRET}' '",
        f"c.TornadoService.cookie_secret = b'{SECRET}'",
        f"c.ServiceAuth.api_token = ['{SECRET}']",
        f"c.HubClient.api_url = b'https://user:{SECRET}@hub/'",
        f"c.TornadoService.prot = '{SECRET}'",
        f"raise ValueError('token {SECRET}')",
        f"import warnings; warnings.warn('token {SECRET}'); c.TornadoService.port = 'x'",
        f"print = {{'secret':\n '{SECRET}\\d'}}; c.TornadoService.port = 'x'",
    ],
)
def test_an_error_in_a_config_file_shows_no_secret(tmp_path: Path, line: str) -> None:
    (tmp_path / "settings.py").write_text(f"{line}\n")

    result = run("--config=settings.py", cwd=tmp_path)

    assert result.returncode == 2, result.stderr
    assert "s3cr3t" not in result.stderr
    assert "1234567890" not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        [f"--TornadoService.cookie_secret={SECRET}"],  # too short
        ["--TornadoService.cookie_secret", SECRET],
        ["--TornadoService.cookie_secret=", SECRET],
        ["--TornadoService.cookie_secret", f"-{SECRET}"],
        ["--TornadoService.cookie_secret", f"-{SECRET}.x"],
        [f"--ServiceAuth.cookie_secret={SECRET}"],
        [f"TornadoService.cookie_secret={SECRET}"],
        [f"TornadoService.cookie_secret=['{SECRET}']"],
        [f"Activity.database_url=['{SECRET}']"],
        [f"--HubClient.hub_timeout=token {SECRET}"],
        [f"--ServiceAuth.cookie_options={SECRET}"],
        ["--ServiceAuth.cookie_options", f"['{SECRET}']"],
        [f"--TornadoService.service_url={SECRET}", f"--ServiceAuth.cookie_options={SECRET}"],
    ],
)
def test_an_error_of_the_command_line_shows_no_secret(tmp_path: Path, args: list[str]) -> None:
    result = run(*args, cwd=tmp_path)

    assert result.returncode == 2, result.stderr
    assert "s3cr3t" not in result.stderr


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("tornadoservice.cookie_secret", "TornadoService.cookie_secret"),
        ("serviceauth.api_token", "ServiceAuth.api_token"),
        ("activity.database_url", "Activity.database_url"),
        ("tornadoService.service_url", "TornadoService.service_url"),
    ],
)
@pytest.mark.parametrize("value", [SECRET, f"['{SECRET}']"])
def test_a_class_in_lower_case_is_refused_without_its_value(
    tmp_path: Path, name: str, meant: str, value: str
) -> None:
    """The argument parser of traitlets shows unknown arguments."""
    result = run(f"--{name}={value}", cwd=tmp_path)

    assert result.returncode == 2
    assert f"There is no option --{name}. Did you mean --{meant}?" in result.stderr
    assert "s3cr3t" not in result.stderr


@pytest.mark.parametrize(
    ("arg", "shown"),
    [
        ("--ServiceAuth.prefix=/x", "c.ServiceAuth.prefix."),
        ("--CookieSecret.anything=1", "c.CookieSecret."),
        ("--TornadoService.cookie_secrett=x", "c.TornadoService.cookie_secrett."),
    ],
)
def test_a_setting_with_a_secret_sounding_name_leaves_the_message_unchanged(
    tmp_path: Path, arg: str, shown: str
) -> None:
    result = run(arg, cwd=tmp_path)

    assert result.returncode == 2
    assert f"{shown} " in result.stderr
    assert "[secret]" not in result.stderr


def test_an_uncaught_error_is_a_line_without_secrets(tmp_path: Path) -> None:
    script = f"""
import asyncio, gc, threading, warnings
from tornado_service import app

class Service(app.TornadoService):
    name = "tornado-service"

    def initialize(self, argv=None):
        warnings.warn("token {SECRET}")
        thread = threading.Thread(target=lambda: [][int("1")] or None, name="token {SECRET}")
        thread.start(); thread.join()
        async def lost():
            raise ValueError("Bearer {SECRET}")
        async def main():
            asyncio.ensure_future(lost())
            await asyncio.sleep(0.01)
            gc.collect()
        asyncio.run(main())
        raise RuntimeError("Authorization: Negotiate {SECRET}")

Service.launch_instance([])
"""
    (tmp_path / "service.py").write_text(script)
    result = subprocess.run(
        [sys.executable, "-X", "dev", "service.py"],
        cwd=tmp_path,
        env={**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert result.returncode == 1
    for reported in ("UserWarning", "IndexError", "never retrieved", "RuntimeError"):
        assert reported in result.stderr
    assert "s3cr3t" not in result.stderr
    heads = [line for line in result.stderr.splitlines() if not line.startswith("    ")]
    assert all(line.startswith("[") for line in heads), result.stderr


async def test_an_app_with_a_wrong_secret_does_not_show_it(
    start_service: StartService, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("database_url", "pseudonym_secret", "smtp_password"):
        for value in ([f"postgresql://user:{SECRET}@host/name"], {"secret": SECRET}):
            with pytest.raises(AppError) as caught:
                await start_service(
                    TornadoService={"apps": ["tornado_service.activity:Activity"]},
                    Activity={name: value},
                )
            assert name in str(caught.value)
            assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0123456789abcdef" * 4, b"0123456789abcdef" * 4, "ü" * 32])
def test_a_cookie_secret_is_text_or_bytes(value: str | bytes) -> None:
    app = TornadoService()
    app.cookie_secret = value  # type: ignore[assignment]

    assert app.cookie_secret == (value.encode() if isinstance(value, str) else value)


def test_text_in_a_file_is_the_same_secret_as_on_the_command_line(tmp_path: Path) -> None:
    text = "0123456789abcdef" * 4
    file = tmp_path / "settings.py"
    file.write_text(f"c.TornadoService.cookie_secret = {text!r}\n")
    by_file, by_line = TornadoService(), TornadoService()
    by_file.read_config_file(str(file))
    by_line.parse_command_line([f"--TornadoService.cookie_secret={text}"])

    assert by_file.cookie_secret == by_line.cookie_secret == text.encode()


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql+psycopg2"])
async def test_a_part_of_a_database_password_is_on_no_page(
    start_service: StartService,
    hub: StandInHub,
    client: AsyncHTTPClient,
    capsys: pytest.CaptureFixture[str],
    driver: str,
) -> None:
    service = await start_service(
        TornadoService={"apps": ["tornado_service.activity:Activity"]},
        Activity={"database_url": f"{driver}://user:p@s3cr3t.invalid@127.0.0.1/name"},
    )
    token = hub.token_for("ada", admin=True)
    fetch = Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)
    while service.app_manager.find("activity").app.recorder.has_history:  # type: ignore[union-attr]
        await asyncio.sleep(0.01)

    reported = capsys.readouterr().err
    for path in ("status", "api/status", "activity/"):
        reported += (await fetch(path, token=token)).body.decode()

    assert "percent-encoded: write @ as %40, / as %2F" in reported
    assert "s3cr3t" not in reported
