"""PostgreSQL servers in temporary directories."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

INSTALL = "apt-get install --yes --no-install-recommends postgresql"

#: It refuses to run as root.
ACCOUNT = "postgres"


class Server:
    """A server that can be stopped, killed and suspended; its administrator uses the socket.

    Args:
        programs: the directory of PostgreSQL's programs.
        directory: for its data and its socket.
        port: for TCP, where passwords are required.
        addresses: on which it listens to the port.
    """

    def __init__(
        self, programs: Path, directory: Path, port: int = 0, addresses: str = "127.0.0.1"
    ) -> None:
        self.directory = directory
        self._programs = programs
        self.port = port
        self._addresses = addresses
        self._account: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:
            owner = pwd.getpwnam(ACCOUNT)
            os.chown(directory, owner.pw_uid, owner.pw_gid)
            self._account |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self.account = self._account.get("user")
        init = [programs / "initdb", "-D", self._data, "-U", "tests", "--auth-local=trust", "-N"]
        subprocess.run(
            [*init, "--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C"],
            check=True,
            capture_output=True,
            **self._account,
        )
        with (directory / "data/pg_hba.conf").open("a") as rules:
            rules.write("host all all all scram-sha-256\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _data(self) -> str:
        return str(self.directory / "data")

    def start(self) -> None:
        listening = ["-c", f"listen_addresses={self._addresses if self.port else ''}"]
        if self.port:
            listening += ["-c", f"port={self.port}"]
        options = [*listening, "-c", "fsync=off", "-k", str(self.directory)]
        with open(os.devnull, "wb") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *options],
                stdout=log,
                stderr=log,
                **self._account,
            )
        while self._process.poll() is None:
            with suppress(psycopg.OperationalError):
                self.connect().close()
                return
        raise RuntimeError("PostgreSQL does not start")

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Connect as its administrator."""
        return connect(self.directory, self.port, database)

    def run(self, *statements: str) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type] # of tests alone

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def stop(self) -> None:
        """Stop it, which ends all connections."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """Kill all of its processes, as a power failure does."""
        self.signal(signal.SIGKILL)
        if self._process:
            self._process.wait(30)
            self._process = None

    def signal(self, number: int) -> None:
        if self._process:
            path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
            for pid in (self._process.pid, *map(int, path.read_text().split())):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)

    def suspend(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)


@contextmanager
def serving(programs: Path, port: int = 0, addresses: str = "127.0.0.1") -> Iterator[Server]:
    directory = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        server = Server(programs, directory, port, addresses)
        try:
            server.start()
            yield server
        finally:
            server.resume()
            server.stop()
    finally:
        shutil.rmtree(directory)


@contextmanager
def running(programs: Path) -> Iterator[Path]:
    """A running server; yields the directory of its socket."""
    with serving(programs) as server:
        yield server.directory


def connect(directory: Path, port: int = 0, database: str = "postgres") -> psycopg.Connection[Any]:
    """Connect as its administrator."""
    place: dict[str, Any] = {"port": port} if port else {}
    return psycopg.connect(
        host=str(directory), user="tests", dbname=database, autocommit=True, **place
    )


@contextmanager
def requiring_password(directory: Path) -> Iterator[tuple[str, Callable[[str], None]]]:
    """An administrator with a password, and a function that changes it.

    It remains, with its objects, until the server ends.
    """
    role = f"role_{secrets.token_hex(4)}"
    rules = directory / "data/pg_hba.conf"
    before = rules.read_text()

    def set_password(password: str) -> None:
        with connect(directory) as connection:
            connection.execute(f"ALTER ROLE {role} PASSWORD '{password}'")

    with connect(directory) as connection:
        connection.execute(f"CREATE ROLE {role} SUPERUSER LOGIN")
        rules.write_text(f"local all {role} scram-sha-256\n{before}")
        connection.execute("SELECT pg_reload_conf()")
    yield role, set_password
    with connect(directory) as connection:
        rules.write_text(before)
        connection.execute("SELECT pg_reload_conf()")
