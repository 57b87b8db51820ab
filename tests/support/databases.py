"""Databases of each supported kind."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import postgresql
from tests.support.postgresql import Server
from tests.support.prepare import find_postgresql
from tornado_service.demo.processes import free_ports

#: The account of an app on ``server``, and its database.
ACCOUNT = "wishes"
PASSWORD = "s3cret-of-the-database"

POSTGRESQL = ("postgresql+psycopg", "postgresql+psycopg2")


@pytest.fixture(scope="session")
def postgresql_socket() -> Iterator[Path]:
    programs = find_postgresql()
    if not programs:
        pytest.skip(f"no PostgreSQL. On Debian, as root: {postgresql.INSTALL} && make test-6.1")
    with postgresql.running(Path(programs)) as directory:
        yield directory


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    programs = find_postgresql()
    if not programs:
        pytest.skip(f"no PostgreSQL. On Debian, as root: {postgresql.INSTALL} && make test-6.1")
    (port,) = free_ports(1)
    with postgresql.serving(Path(programs), port) as server:
        server.run(f"CREATE ROLE {ACCOUNT} LOGIN PASSWORD '{PASSWORD}'")
        yield server


@pytest.fixture
def postgresql_url(server: Server) -> Iterator[str]:
    server.run(f"CREATE DATABASE {ACCOUNT} OWNER {ACCOUNT}")
    yield f"://{ACCOUNT}:{PASSWORD}@127.0.0.1:{server.port}/{ACCOUNT}"
    server.run(f"DROP DATABASE {ACCOUNT} WITH (FORCE)")


NO_SMALL_DISK = "only root can mount a small disk: as root, make test-6.1"


@dataclass
class Disk:
    """A directory; for root, a file system of 1 MB."""

    path: Path
    is_small: bool

    def require_small(self) -> None:
        """Skip the test if the disk cannot really be filled or made read-only."""
        if not self.is_small:
            pytest.skip(NO_SMALL_DISK)

    def make_read_only(self) -> None:
        if self.is_small:
            mount("-o", "remount,ro", str(self.path))
        else:
            self.path.chmod(0o555)

    def make_writable(self) -> None:
        if self.is_small:
            mount("-o", "remount,rw", str(self.path))
        else:
            self.path.chmod(0o755)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    yield (small := Disk(path, mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path))))
    if small.is_small:
        subprocess.run(["umount", str(path)], check=True)
    path.chmod(0o755)


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    return tmp_path / "data.sqlite"


@pytest.fixture
def sqlite_url(sqlite_file: Path) -> str:
    return f"sqlite:///{sqlite_file}"


@pytest.fixture
def new_postgresql(postgresql_socket: Path) -> Iterator[Callable[[str], str]]:
    """Create a database; returns its URL, for a driver."""
    names: list[str] = []

    def make(driver: str) -> str:
        names.append(f"test_{secrets.token_hex(4)}")
        with postgresql.connect(postgresql_socket) as connection:
            connection.execute(f"CREATE DATABASE {names[-1]}")
        return f"{driver}://tests@/{names[-1]}?host={postgresql_socket}"

    yield make
    with postgresql.connect(postgresql_socket) as connection:
        for name in names:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", *POSTGRESQL])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, of each supported kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("new_postgresql")(request.param))
