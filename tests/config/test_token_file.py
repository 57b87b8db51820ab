"""The file with the service's token: read at the start, and when it changes."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.launched import ENVIRONMENT, until_logged
from tornado_service.config import token_file
from tornado_service.config.checks import ConfigError
from tornado_service.config.token_file import MAX_SIZE, TokenFile
from tornado_service.testing import Fetch, StandInHub

OLD_TOKEN = ENVIRONMENT["JUPYTERHUB_API_TOKEN"]
NEW_TOKEN = "fedcba9876543210fedcba9876543210"
LOG = logging.getLogger("tornado_service.tests")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_file, "READ_INTERVAL", 0.01)


def test_blanks_around_the_token_are_removed(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("  abc123\r\n\n")

    assert TokenFile(str(file)).read() == "abc123"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"two words", "one token"),
        (b"two\nlines", "one token"),
        (b"\xff\xfe", "one token"),
        ("für".encode(), "one token"),
        (b"a\x00b", "one token"),
        (b"a" * (MAX_SIZE + 1), "one token"),
    ],
)
def test_anything_but_a_token_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)

    with pytest.raises(ConfigError, match=problem) as error:
        TokenFile(str(file)).read()

    assert str(file) in str(error.value)


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")  # opening one would wait for a writer
    reasons = {
        "missing": "does not exist",
        "loop": "cannot be read: ",
        "file/below": "cannot be read: Not a directory",
        "pipe": "is not a file",
        ".": "is not a file",
        "x" * 300: "cannot be read: File name too long",
    }

    for name, reason in reasons.items():
        with pytest.raises(ConfigError, match=reason):
            TokenFile(str(tmp_path / name)).read()


async def test_a_mounted_secret_is_followed(tmp_path: Path) -> None:
    """Kubernetes writes a new directory and replaces a symbolic link to it."""
    mount = tmp_path / "secret"
    mount.mkdir()
    write_secret(mount, "one", "first")
    (mount / "token").symlink_to("..data/token")
    file = TokenFile(str(mount / "token"))

    async with following(file, file.read()) as changes:
        write_secret(mount, "two", "second")
        assert await anext(changes) == "second"
        write_secret(mount, "three", "third")
        assert await anext(changes) == "third"


def write_secret(mount: Path, version: str, token: str) -> None:
    (mount / f"..{version}").mkdir()
    (mount / f"..{version}" / "token").write_text(token)
    (mount / "..data_tmp").symlink_to(f"..{version}")
    (mount / "..data_tmp").rename(mount / "..data")


async def test_while_it_has_no_token_the_old_one_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    file = tmp_path / "token"
    reads = iter(["old", None, None, None, "", "", "old", "new"])
    read = TokenFile.read

    def change_and_read(self: TokenFile) -> str:
        content = next(reads)
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_text(content)
        return read(self)

    monkeypatch.setattr(TokenFile, "read", change_and_read)

    async with following(TokenFile(str(file)), "old") as changes:
        assert await anext(changes) == "new"

    messages = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert messages == [
        ("WARNING", f"{named(file)} does not exist. The service goes on with the token it has."),
        ("WARNING", f"{named(file)} is empty. The service goes on with the token it has."),
        ("INFO", f"The file {file} can be read again."),
    ]


def named(file: Path) -> str:
    return f"The file {file} of TornadoService.api_token_file"


def following(file: TokenFile, token: str) -> aclosing[AsyncIterator[str]]:
    return aclosing(file.changes(token, LOG))


class TestProcess:
    """A service whose token is in a file."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / "token"
        file.write_text(OLD_TOKEN + "\n")
        return file

    @pytest.fixture
    def arguments(self, file: Path, port: int) -> list[str]:
        config = file.with_name("settings.py")
        config.write_text(
            "from tornado_service.config import token_file\n"
            "token_file.READ_INTERVAL = 0.02\n"
            f"c.TornadoService.api_token_file = {str(file)!r}\n"
        )
        return [f"--config={config}", f"--port={port}"]

    @pytest.mark.parametrize(
        ("content", "problem"), [(None, "does not exist"), ("", "is empty"), ("a b", "one token")]
    )
    def test_a_file_without_a_token_is_refused(self, refuse, arguments, file, content, problem):
        file.unlink()
        if content is not None:
            file.write_text(content)

        line = refuse(*arguments, JUPYTERHUB_API_TOKEN=None)

        assert line.startswith(f"The file {file} of TornadoService.api_token_file ")
        assert problem in line

    @pytest.fixture
    def fetch(self, client: AsyncHTTPClient, port: int) -> Fetch:
        return Fetch(client, f"http://127.0.0.1:{port}", "/services/tornado-service/")

    async def test_a_new_token_is_used_and_lasts_when_the_file_is_gone(
        self, external, fetch: Fetch, arguments: list[str], file: Path
    ) -> None:
        process = external(*arguments, JUPYTERHUB_API_TOKEN=None)
        await until_logged(process, "Listening")
        assert await self.accepted(fetch) == [OLD_TOKEN]

        file.with_suffix(".new").write_text(NEW_TOKEN)
        file.with_suffix(".new").rename(file)
        await until_logged(process, "Using the new API token")
        assert await self.accepted(fetch) == [NEW_TOKEN]

        file.unlink()
        line = await until_logged(process, "[W ", str(file))
        assert f"The file {file} of TornadoService.api_token_file does not exist." in line
        assert await self.accepted(fetch) == [NEW_TOKEN]

        process.terminate()
        rest = await asyncio.to_thread(process.stderr.read)
        assert process.wait() == 0
        assert "Traceback" not in rest

    async def accepted(self, fetch: Fetch) -> list[str]:
        """The tokens with which a client is the service itself, as the doctor is."""
        codes = {}
        for token in (OLD_TOKEN, NEW_TOKEN):
            codes[token] = (await fetch("api/status", token=token)).code
        return [token for token, code in codes.items() if code == 200]

    async def test_the_hub_is_called_with_the_new_token(
        self, external, hub: StandInHub, arguments: list[str], file: Path, fetch: Fetch
    ) -> None:
        hub.users[NEW_TOKEN] = {"kind": "service", "name": "tornado-service", "scopes": []}
        process = external(
            *arguments, **{"JUPYTERHUB_API_TOKEN": None, "JUPYTERHUB_API_URL": hub.api_url}
        )
        await until_logged(process, "refuses the service's token")

        file.write_text(NEW_TOKEN)
        await until_logged(process, "Using the new API token", "hub accepts the token")
