"""A PostgreSQL server of our own, on a socket in a directory of its own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

INSTALL = "apt-get install --yes --no-install-recommends postgresql"

#: It refuses to run as root.
ACCOUNT = "postgres"


@contextmanager
def running(programs: Path) -> Iterator[Path]:
    """The directory of its socket."""
    account: dict[str, Any] = {"cwd": "/"}
    directory = Path(tempfile.mkdtemp(prefix="postgresql-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam(ACCOUNT)
        os.chown(directory, owner.pw_uid, owner.pw_gid)
        account |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    data = str(directory / "data")
    try:
        init = [programs / "initdb", "-D", data, "-U", "tests", "-A", "trust", "-N"]
        subprocess.run(
            [*init, "-E", "UTF8", "--locale=C"], check=True, capture_output=True, **account
        )
        settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", str(directory)]
        with open(os.devnull, "wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *settings], stdout=log, stderr=log, **account
            )
        try:
            _wait_for(directory, server)
            yield directory
        finally:
            server.send_signal(signal.SIGINT)  # ends connections, too
            server.wait(30)
    finally:
        shutil.rmtree(directory)


def _wait_for(directory: Path, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            connect(directory).close()
        except psycopg.OperationalError:
            continue
        return
    raise RuntimeError("PostgreSQL does not start")


def connect(directory: Path) -> psycopg.Connection[Any]:
    """As its administrator."""
    return psycopg.connect(host=str(directory), user="tests", dbname="postgres", autocommit=True)


@contextmanager
def asking_for_password(directory: Path) -> Iterator[tuple[str, Callable[[str], None]]]:
    """An administrator who needs a password, and a function that changes it.

    It stays, as what it has made does, until the server ends.
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
