"""A script with both of its results: through collector, store and roll-ups, and by its ledger."""

from __future__ import annotations

import logging
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from tests.support.activity.ledger import ONE_DAY, Ledger, each_day
from tests.support.activity.observation import sample_times
from tests.support.activity.script import Script
from tests.support.activity.simulator import SimulatedHub
from tornado_service.activity.collect.collector import SAMPLE_DELAY, Collector
from tornado_service.activity.domain.records import Sample
from tornado_service.activity.history.archive import Archive
from tornado_service.activity.history.history import History
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.store import rollups
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.store import Store
from tornado_service.activity.store.writer import add_sample
from tornado_service.hub.calls import HubCalls

LOG = logging.getLogger("test")
#: Samples between two computations of the figures.
SAMPLES_PER_UPDATE = 97


@dataclass(frozen=True)
class Played:
    """Both results of a script. ``first`` and ``last``: days with figures."""

    history: History
    ledger: Ledger
    first: date
    last: date

    def ids(self, who: set[int]) -> set[int]:
        """Users of the ledger, as the store numbers them."""
        accounts = {
            (account.name, account.first_seen): account.id
            for account in self.history.people.values()
        }
        users = (self.ledger.users[index] for index in who)
        return {accounts[user.name, user.first_seen] for user in users}


async def play(
    script: Script, file: Path, interval: int, zone: str, hub: SimulatedHub, calls: HubCalls
) -> Played:
    """Let a collector sample the script, and read its history."""
    delay = int(interval * SAMPLE_DELAY)
    database = open_database(f"sqlite:///{file}")
    with database.writing() as connection:

        async def keep(sample: Sample, interval: int) -> None:
            add_sample(connection, sample, interval)

        collector = Collector(calls, interval, LOG, keep)
        archive = Archive(Store("", LOG), ZoneInfo(zone))
        for number, at in enumerate(range(script.start + delay, script.end, interval)):
            if script.is_service_down(at):
                collector = Collector(calls, interval, LOG, keep)
                continue
            hub.now = at
            sample = await collector.collect(at)
            assert (sample is None) == script.is_hub_down(at)
            if number % SAMPLES_PER_UPDATE == 0:  # each history extends the one before
                bring_up_to_date(archive, connection)
        bring_up_to_date(archive, connection)
    archive.close()
    database.close()
    ledger = Ledger(script, sample_times(script, interval, delay), interval, zone)
    first, last = (
        datetime.fromtimestamp(moment, ledger.zone).date()
        for moment in (script.start, ledger.times[-1])
    )
    return Played(archive.history, ledger, first, last)


def bring_up_to_date(archive: Archive, connection: Connection) -> None:
    """As after each sample."""
    while rollups.roll_up(connection, archive.history.zone):
        pass
    archive.history = archive._updated_history(Reader(connection))


def months(played: Played) -> Iterator[tuple[date, date]]:
    first = played.first.replace(day=1)
    while first <= played.last:
        last = first.replace(day=monthrange(first.year, first.month)[1])
        yield first, last
        first = last + ONE_DAY


def weeks(played: Played) -> Iterator[tuple[date, date]]:
    monday = played.first - timedelta(played.first.weekday())
    while monday <= played.last:
        yield monday, monday + timedelta(6)
        monday += timedelta(7)


def days(played: Played) -> Iterator[tuple[date, date]]:
    return ((day, day) for day in each_day(played.first, played.last))
