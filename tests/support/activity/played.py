"""A script that was watched by the service and by the ledger."""

from __future__ import annotations

import logging
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from tests.support.activity.ledger import ONE_DAY, Ledger
from tests.support.activity.looks import looks
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
#: So many samples are taken between two looks at the figures.
LOOKS = 97


@dataclass(frozen=True)
class Played:
    """What came of a script, twice. ``first`` and ``last``: days with figures."""

    history: History
    ledger: Ledger
    first: date
    last: date

    def ids(self, who: set[int]) -> set[int]:
        """People of the ledger, as the store numbers them."""
        accounts = {
            (account.name, account.first_seen): account.id
            for account in self.history.people.values()
        }
        humans = (self.ledger.people[person] for person in who)
        return {accounts[human.name, human.first_seen] for human in humans}


async def play(
    script: Script, file: Path, interval: int, zone: str, hub: SimulatedHub, calls: HubCalls
) -> Played:
    """Let a collector watch the script, and read its history."""
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
            if number % LOOKS == 0:  # the last history is made of all those before it
                bring_up_to_date(archive, connection)
        bring_up_to_date(archive, connection)
    archive.close()
    database.close()
    ledger = Ledger(script, looks(script, interval, delay), interval, zone)
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
