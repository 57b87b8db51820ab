"""The store: keeps samples and gives them back, in threads of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ...apps.retry import transient_cause
from ...database.database import Database
from ...database.errors import NoDatabase, first_line, is_damage
from ...database.timeout import TIMEOUT
from ..domain.records import Sample
from ..schema.migrations import NewerDatabase
from ..schema.upgrade import open_database
from . import rollups as retention
from . import user_data as privacy
from .reader import Reader
from .writer import add_sample

Result = TypeVar("Result")

#: Figures that are read at the same time; one that takes long does not hold up others.
READERS = 2

#: What a database may do.
TROUBLE = (NoDatabase, DBAPIError)


class State(Enum):
    """How the store is, in words."""

    GETTING_READY = "getting ready"
    READY = "ready"
    LIVE_ONLY = "live view only"
    REFUSED = "refused"


@dataclass(frozen=True)
class Condition:
    """How the store is, and why, for admins.

    Attributes:
        reason: what is wrong and what to change; may be told while it is ready, too.
    """

    state: State
    reason: str = ""


class Unavailable(Exception):
    """There is no history to be read at the moment."""


class Store:
    """Keeps the history of a hub. Its methods never block; one writes at a time.

    Without a database, or with one in trouble, samples are lost and everything else goes on; with
    the next sample it is tried again.

    Attributes:
        condition: how it is.
        naming: gives the name under which a user is kept.
    """

    def __init__(
        self,
        url: str,
        log: logging.Logger,
        *,
        zone: ZoneInfo | None = None,
        retention_days: int = 400,
        naming: privacy.Naming | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        """Make a store; it is not open yet.

        Args:
            url: of the database, as SQLAlchemy has it; may be empty.
            log: for changes of its condition, and for samples that are lost.
            zone: whose days the roll-ups are; UTC by default.
            retention_days: after which single sessions are dropped.
            naming: gives pseudonyms; without one, users are kept by their names.
            timeout: seconds that a statement may take.
        """
        self.condition = Condition(State.GETTING_READY)
        self.naming = naming or privacy.own_name
        self._url = url
        self._log = log
        self._zone = zone or ZoneInfo("UTC")
        self._retention_days = retention_days
        self._timeout = timeout
        self._database: Database | None = None
        self._note = ""
        self._writer = ThreadPoolExecutor(1, "activity-writer")
        self._readers = ThreadPoolExecutor(READERS, "activity-reader")

    async def open(self) -> bool:
        """Open the database and bring it to this version. What fails is told by ``condition``.

        Returns:
            Whether to try again: it has failed for a reason that may pass.
        """
        try:
            await _in(self._writer, self._open)
        except TROUBLE as error:
            self._be(self._in_trouble(error))
            return transient_cause(error) is not None
        except Exception as error:  # whatever it is, what runs now can be shown
            self._log.exception("The history of activity cannot be opened")
            self._be(Condition(State.LIVE_ONLY, f"{type(error).__name__}: see the service's log."))
        else:
            self._be(Condition(State.READY, self._note))
        return False

    async def close(self) -> None:
        """End, when what is being written has been."""
        await asyncio.to_thread(self._writer.shutdown, cancel_futures=True)
        self._readers.shutdown(wait=False, cancel_futures=True)
        if self._database:
            self._database.close()

    async def add(self, sample: Sample, interval: int) -> bool:
        """Keep a sample. It never raises for a database in trouble; then the sample is lost.

        Args:
            sample: with the names that the hub has.
            interval: seconds between two samples.

        Returns:
            Whether it was kept: not, if another process has kept one of the same interval.
        """
        try:
            added = await _in(self._writer, partial(self._add, sample, interval))
        except TROUBLE as error:
            self._be(self._in_trouble(error))
            if self._url:  # else nothing is to be kept
                at = datetime.fromtimestamp(sample.taken, timezone.utc).isoformat()
                self._log.warning("Activity at %s is not kept: %s", at, first_line(error))
            return False
        self._be(Condition(State.READY, self._note))
        return added

    async def maintain(self) -> None:
        """Make the roll-ups of days that are over, drop what is old. Samples may come between."""
        steps: list[Callable[[Connection], bool]] = [
            partial(retention.roll_up, zone=self._zone),
            partial(retention.drop_old, retention_days=self._retention_days),
        ]
        try:
            for step in steps:
                while await _in(self._writer, partial(self._write, step)):
                    pass
        except TROUBLE as error:
            self._log.warning("Days of activity are not rolled up: %s", first_line(error))

    async def read(self, work: Callable[[Reader], Result]) -> Result:
        """Read, and compute, in a thread beside the writer.

        Args:
            work: gets a reader, which must not outlive it.

        Raises:
            Unavailable: there is no database, or it is in trouble.
        """
        return await self._read(lambda connection: work(Reader(connection)))

    async def forget(self, name: str) -> bool:
        """Remove all that is kept of a user: see `privacy.forget`.

        Args:
            name: as the hub has it.

        Raises:
            Unavailable: there is no database, or it is in trouble.
        """
        work = partial(privacy.forget, name=self.naming(name))
        try:
            return await _in(self._writer, partial(self._write, work, erase=True))
        except TROUBLE as error:
            raise Unavailable(first_line(error)) from error

    async def export(self, name: str) -> dict[str, Any] | None:
        """All that is kept of a user, for JSON; nothing if there is no such user.

        Args:
            name: as the hub has it.

        Raises:
            Unavailable: there is no database, or it is in trouble.
        """
        return await self._read(partial(privacy.export, name=self.naming(name)))

    def _in_trouble(self, error: Exception) -> Condition:
        if isinstance(error, NewerDatabase):
            return Condition(State.REFUSED, str(error))
        if self._database is None:
            return Condition(State.LIVE_ONLY, first_line(error))
        return Condition(State.READY, f"The last sample is lost: {first_line(error)}. {self._note}")

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        database = self._database
        if database is None:
            raise Unavailable(self.condition.reason or self.condition.state.value)

        def run() -> Result:
            with database.reading() as connection:
                return work(connection)

        try:
            return await _in(self._readers, run)
        except TROUBLE as error:
            if is_damage(error):
                with suppress(*TROUBLE):  # which the next sample tells
                    await _in(self._writer, partial(self._look_for_damage, database))
            raise Unavailable(first_line(error)) from error

    # What follows runs in the writer's thread.

    def _add(self, sample: Sample, interval: int) -> bool:
        if self.naming is not privacy.own_name:
            sample = privacy.rename(sample, self.naming)
        return self._write(partial(add_sample, sample=sample, interval=interval))

    def _write(self, work: Callable[[Connection], Result], *, erase: bool = False) -> Result:
        if self._database is None or not self._database.is_in_place:
            self._open()
        database = self._database
        assert database is not None  # noqa: S101
        try:
            with database.writing() as connection:
                result = work(connection)
            if erase:
                self._erase(database)
        except DBAPIError as error:
            if is_damage(error):
                self._open(thorough=True)
            raise
        return result

    def _look_for_damage(self, database: Database) -> None:
        if self._database is database:  # and nobody has looked since
            self._open(thorough=True)

    def _open(self, *, thorough: bool = False) -> None:
        if self._database:
            self._database.close()
            self._database = None
        database = open_database(self._url, thorough=thorough, timeout=self._timeout)
        try:
            self._hide_names(database)
        except BaseException:
            database.close()
            raise
        self._database = database
        self._note = ""
        if database.put_aside:
            self._note = f"A damaged history is now {database.put_aside}, and a new one began."

    def _hide_names(self, database: Database) -> None:
        if self.naming is privacy.own_name:
            return
        with database.writing() as connection:
            is_hidden = privacy.hide_names(connection, self.naming)
        if is_hidden:
            self._erase(database)

    def _erase(self, database: Database) -> None:
        if not database.erase():
            self._log.warning(
                "What was removed from the history of activity is still in SQLite's log, as"
                " somebody reads. Do the same again."
            )

    def _be(self, condition: Condition) -> None:
        """Be so, and say so if it is new."""
        if condition == self.condition:
            return
        self.condition = condition
        level = logging.WARNING if condition.reason else logging.INFO
        self._log.log(level, "History of activity: %s. %s", condition.state.value, condition.reason)


def _in(threads: ThreadPoolExecutor, work: Callable[[], Result]) -> asyncio.Future[Result]:
    return asyncio.get_running_loop().run_in_executor(threads, work)
