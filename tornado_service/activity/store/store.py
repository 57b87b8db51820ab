"""The store: writes samples and reads the history, in threads of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ...apps.retry import transient_cause
from ...database.database import Database
from ...database.errors import DatabaseUnusable, driver_message, is_corruption
from ...database.timeout import TIMEOUT
from ..domain.calendar import utc_datetime
from ..domain.pseudonyms import NameMapper, identity, pseudonymize
from ..domain.records import Sample
from ..schema.migrations import NewerDatabase
from ..schema.upgrade import open_database
from . import live_sample, mailed_reports, rollups, user_data
from .reader import Reader
from .writer import add_sample

Result = TypeVar("Result")

#: Figures that are read at the same time; one that takes long does not hold up others.
READERS = 2

#: Seconds to wait for figures that are being read when the store is closed.
CLOSE_WAIT = 1.0

#: What a database may do.
DATABASE_ERRORS = (DatabaseUnusable, DBAPIError)


class HistoryState(Enum):
    """The state of the store, in words."""

    GETTING_READY = "getting ready"
    READY = "ready"
    LIVE_ONLY = "live view only"
    REFUSED = "refused"


@dataclass(frozen=True)
class Condition:
    """The state of the store, and for administrators what is wrong and what to change."""

    state: HistoryState
    reason: str = ""


class HistoryUnavailable(Exception):
    """The history cannot be read at the moment."""


class Store:
    """Stores the history of a hub. Its methods never block; there is one writer at a time.

    Without a database, or if it fails, samples are lost and everything else goes on; the next
    sample tries again.

    Args:
        url: of the database, for SQLAlchemy; may be empty.
        log: for changes of the condition, and for samples that are lost.
        zone: time zone of the roll-ups' days; UTC by default.
        retention_days: days after which sessions are dropped.
        map_name: maps to pseudonyms; by default, users are stored under their names.
        timeout: seconds that a statement may take.
    """

    def __init__(
        self,
        url: str,
        log: logging.Logger,
        *,
        zone: ZoneInfo | None = None,
        retention_days: int = 400,
        map_name: NameMapper | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self.condition = Condition(HistoryState.GETTING_READY)
        self.map_name = map_name or identity
        #: by revision, for those that samples stored here have made: from when on it changed
        self.late_changes: dict[int, int] = {}
        self._url = url
        self._log = log
        self._zone = zone or ZoneInfo("UTC")
        self._retention_days = retention_days
        self._timeout = timeout
        self._database: Database | None = None
        self._notice = ""
        self._term: int | None = None
        self._writer = ThreadPoolExecutor(1, "activity-writer")
        self._readers = ThreadPoolExecutor(READERS, "activity-reader")

    async def open(self) -> bool:
        """Open the database and upgrade it; return whether to try again, as the reason may pass.

        An error is in ``condition``.
        """
        try:
            await _run_in(self._writer, self._open)
        except DATABASE_ERRORS as error:
            self._set_condition(self._failure_condition(error))
            return transient_cause(error) is not None
        except Exception as error:  # whatever it is, what runs now can be shown
            self._log.exception("The history of activity cannot be opened")
            self._set_condition(
                Condition(HistoryState.LIVE_ONLY, f"{type(error).__name__}: see the service's log.")
            )
        else:
            self._set_condition(Condition(HistoryState.READY, self._notice))
        return False

    def refuse(self, reason: str) -> None:
        """Record that the history is not used, and why; until `open`."""
        self._set_condition(Condition(HistoryState.REFUSED, reason))

    async def close(self) -> None:
        """Close the database, when what is being written has been."""
        await asyncio.to_thread(self._writer.shutdown, cancel_futures=True)
        reading = asyncio.to_thread(self._readers.shutdown, cancel_futures=True)
        with suppress(asyncio.TimeoutError):  # else a connection that is in use stays open
            await asyncio.wait_for(reading, CLOSE_WAIT)
        if self._database:
            self._database.close()

    async def take_over(self, instance: str) -> None:
        """Store for a replica that begins to collect, until another one takes over.

        From now on, `add` keeps the latest sample for other replicas, and `add` and `maintain`
        raise `Superseded` once another replica has taken over. Fails as `read` does.
        """
        self._term = await self._change(partial(live_sample.take_over, instance=instance))

    async def live(self) -> Sample | None:
        """The latest sample of the replica that collects; fails as `read` does."""
        sample = await self.read(Reader.live)
        return sample and replace(sample, has_pseudonyms=self.map_name is not identity)

    async def add(self, sample: Sample, interval: int) -> bool:
        """Store a sample with the hub's names; return whether it was stored.

        It is not if another process has stored one of the same interval, and is lost if the
        database fails. `Superseded`: see `take_over`.
        """
        try:
            added = await _run_in(self._writer, partial(self._add, sample, interval))
        except DATABASE_ERRORS as error:
            self._set_condition(self._failure_condition(error))
            if self._url:  # else nothing is to be kept
                at = utc_datetime(sample.taken).isoformat()
                self._log.warning(
                    "Could not store the sample taken at %s: %s", at, driver_message(error)
                )
            return False
        self._set_condition(Condition(HistoryState.READY, self._notice))
        return added

    async def maintain(self) -> None:
        """Roll up days that are over, drop what is old. Samples may be stored in between.

        `Superseded`: see `take_over`.
        """
        steps: list[Callable[[Connection], bool]] = [
            partial(rollups.roll_up, zone=self._zone),
            partial(rollups.drop_old, retention_days=self._retention_days),
        ]
        try:
            for step in (live_sample.fenced(step, self._term) for step in steps):
                while await _run_in(self._writer, partial(self._write, step)):
                    pass
        except DATABASE_ERRORS as error:
            self._log.warning("Days of activity are not rolled up: %s", driver_message(error))

    async def read(self, work: Callable[[Reader], Result]) -> Result:
        """Call ``work`` in a thread, with a reader that must not outlive it.

        `HistoryUnavailable`: there is no database, or it fails.
        """
        database = self._database
        if database is None:
            raise HistoryUnavailable(self.condition.reason or self.condition.state.value)

        def run() -> Result:
            with database.reading() as connection, closing(Reader(connection)) as reader:
                return work(reader)

        try:
            return await _run_in(self._readers, run)
        except DATABASE_ERRORS as error:
            if is_corruption(error):
                with suppress(*DATABASE_ERRORS):  # which the next sample tells
                    await _run_in(self._writer, partial(self._check_for_corruption, database))
            raise HistoryUnavailable(driver_message(error)) from error

    async def forget(self, name: str) -> bool:
        """`user_data.forget`, by the hub's name; fails as `read` does."""
        work = partial(user_data.forget, name=self.map_name(name))
        return await self._change(work, erase=True)

    async def claim_report(self, month: str, now: int) -> mailed_reports.Claim:
        """`mailed_reports.claim`; fails as `read` does."""
        return await self._change(partial(mailed_reports.claim, month=month, now=now))

    async def settle_report(self, month: str, *, is_mailed: bool) -> None:
        """`mailed_reports.settle`; fails as `read` does."""
        await self._change(partial(mailed_reports.settle, month=month, is_mailed=is_mailed))

    async def _change(self, work: Callable[[Connection], Result], *, erase: bool = False) -> Result:
        try:
            return await _run_in(self._writer, partial(self._write, work, erase=erase))
        except DATABASE_ERRORS as error:
            raise HistoryUnavailable(driver_message(error)) from error

    async def export(self, name: str) -> dict[str, Any] | None:
        """`user_data.export`, by the hub's name; fails as `read` does."""
        return await self.read(partial(user_data.export, name=self.map_name(name)))

    def _failure_condition(self, error: Exception) -> Condition:
        if isinstance(error, NewerDatabase):
            return Condition(HistoryState.REFUSED, str(error))
        if self._database is None:
            return Condition(HistoryState.LIVE_ONLY, driver_message(error))
        return Condition(
            HistoryState.READY, f"The last sample is lost: {driver_message(error)}. {self._notice}"
        )

    # What follows runs in the writer's thread.

    def _add(self, sample: Sample, interval: int) -> bool:
        if self.map_name is not identity:
            sample = pseudonymize(sample, self.map_name)
        late_changes: dict[int, int] = {}

        def work(connection: Connection) -> bool:
            added = add_sample(connection, sample, interval, late_changes)
            if self._term is not None:
                live_sample.save(connection, sample)
            return added

        added = self._write(live_sample.fenced(work, self._term))
        self.late_changes |= late_changes  # which are certain now
        return added

    def _write(self, work: Callable[[Connection], Result], *, erase: bool = False) -> Result:
        if self._database is None or not self._database.is_same_file:
            self._open()
        database = self._database
        assert database is not None  # noqa: S101
        try:
            with database.writing() as connection:
                result = work(connection)
            if erase:
                self._erase(database)
        except DBAPIError as error:
            if is_corruption(error):
                self._open(thorough=True)
            raise
        return result

    def _check_for_corruption(self, database: Database) -> None:
        if self._database is database:  # and nobody has looked since
            self._open(thorough=True)

    def _open(self, *, thorough: bool = False) -> None:
        if self._database:
            self._database.close()
            self._database = None
        self.late_changes = {}
        database = open_database(self._url, thorough=thorough, timeout=self._timeout)
        try:
            if self.map_name is not identity:
                with database.writing() as connection:
                    is_hidden = user_data.pseudonymize_existing(connection, self.map_name)
                if is_hidden:
                    self._erase(database)
        except BaseException:
            database.close()
            raise
        self._database = database
        self._notice = ""
        if database.quarantined_file:
            self._notice = (
                f"A damaged history is now {database.quarantined_file}, and a new one began."
            )

    def _erase(self, database: Database) -> None:
        if not database.truncate_wal():
            self._log.warning(
                "The removed data is still in SQLite's write-ahead log, as a reader is active."
                " Repeat the command."
            )

    def _set_condition(self, condition: Condition) -> None:
        if condition == self.condition:
            return
        self.condition = condition
        level = logging.WARNING if condition.reason else logging.INFO
        self._log.log(level, "History of activity: %s. %s", condition.state.value, condition.reason)


def _run_in(threads: ThreadPoolExecutor, work: Callable[[], Result]) -> asyncio.Future[Result]:
    return asyncio.get_running_loop().run_in_executor(threads, work)
