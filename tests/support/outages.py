"""Outages of databases while apps use them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.databases import ACCOUNT, NO_SMALL_DISK, PASSWORD, mount
from tests.support.postgresql import Server
from tornado_service.app import TornadoService

TERMINATE_CONNECTIONS = (
    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ACCOUNT}'"
)


class Outage(NamedTuple):
    begin: Callable[[], Any]
    end: Callable[[], Any]


def postgresql_outage(kind: str, server: Server) -> Outage:
    def alter(begin: str, end: str) -> Outage:
        role = f"ALTER ROLE {ACCOUNT}"
        return Outage(
            lambda: server.run(f"{role} {begin}", TERMINATE_CONNECTIONS),
            lambda: server.run(f"{role} {end}", TERMINATE_CONNECTIONS),
        )

    read_only = "SET default_transaction_read_only = "
    kinds: dict[str, Callable[[], Outage]] = {
        "stopped": lambda: Outage(server.stop, server.start),
        "killed": lambda: Outage(server.kill, server.start),
        "suspended": lambda: Outage(server.suspend, server.resume),
        "too many connections": lambda: alter("CONNECTION LIMIT 0", "CONNECTION LIMIT -1"),
        "another password": lambda: alter("PASSWORD 'other'", f"PASSWORD '{PASSWORD}'"),
        "read-only": lambda: alter(f"{read_only}on", f"{read_only}off"),
        "standby": lambda: _standby(server),
        "locked table": lambda: _locked_table(server),
        "full": lambda: _full_tablespace(server),
    }
    return kinds[kind]()


def _standby(server: Server) -> Outage:
    """Read-only, as after a failover, until it is promoted."""

    def begin() -> None:
        server.stop()
        (server.directory / "data/standby.signal").touch()
        server.start()

    return Outage(begin, lambda: server.run("SELECT pg_promote()"))


def _locked_table(server: Server) -> Outage:
    other = server.connect(ACCOUNT)

    def begin() -> None:
        other.execute("BEGIN")
        other.execute("LOCK TABLE wishes IN ACCESS EXCLUSIVE MODE")

    return Outage(begin, other.close)


def _full_tablespace(server: Server) -> Outage:
    path = server.directory / "small"
    path.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)):
        pytest.skip(NO_SMALL_DISK)
    shutil.chown(path, *([server.account] * 2 if server.account else []))
    ballast = path / "ballast"

    def begin() -> None:
        server.run(f"CREATE TABLESPACE small LOCATION '{path}'")
        with server.connect(ACCOUNT) as connection:
            connection.execute("ALTER TABLE wishes SET TABLESPACE small")
        fill(ballast)

    def end() -> None:
        ballast.unlink()
        with server.connect(ACCOUNT) as connection:
            connection.execute("ALTER TABLE wishes SET TABLESPACE pg_default")
        server.run("DROP TABLESPACE small")
        subprocess.run(["umount", str(path)], check=True)
        path.rmdir()

    return Outage(begin, end)


def sqlite_outage(kind: str, file: Path, service: TornadoService) -> Outage:
    kinds: dict[str, Callable[[], Outage]] = {
        "locked": lambda: _locked_file(file),
        "full": lambda: _full_disk(file),
        "read-only": lambda: _read_only_disk(file, service),
        "moved away": lambda: Outage(
            lambda: file.rename(file.with_suffix(".away")),
            lambda: file.with_suffix(".away").rename(file),
        ),
    }
    return kinds[kind]()


def _locked_file(file: Path) -> Outage:
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    return Outage(lambda: other.execute("BEGIN IMMEDIATE"), other.close)


def _full_disk(file: Path) -> Outage:
    ballast = file.with_name("ballast")
    return Outage(lambda: fill(ballast), ballast.unlink)


def _read_only_disk(file: Path, service: TornadoService) -> Outage:
    def remount(how: str) -> None:
        for mounted in service.app_manager:  # open files could still be written
            for sessions in mounted.app._databases if mounted.app else ():
                sessions._database.close()
        assert mount("-o", f"remount,{how}", str(file.parent))

    return Outage(lambda: remount("ro"), lambda: remount("rw"))


def fill(file: Path) -> None:
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while ballast.write(os.urandom(4096)):
            pass
    with suppress(OSError), file.open("ab", buffering=0) as ballast:
        while ballast.write(b"x"):
            pass
