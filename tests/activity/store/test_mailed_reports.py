"""Of several processes with one database, one mails a report, and once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.activity.conftest import Open
from tornado_service.activity.schema.metadata import StoreMetadata
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.store.mailed_reports import CLAIM_SECONDS, Claim, claim, settle
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.store import HistoryUnavailable, Store
from tornado_service.database.database import Database
from tornado_service.database.errors import DatabaseUnavailable

NOW = 1_793_500_000

#: Claims many months one after another, each until it is mailed, and prints those that it got.
PROGRAM = f"""
import sys
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.store.mailed_reports import claim, settle
database = open_database(sys.argv[1])
for year in range(2001, 2013):
    month = f"{{year}}-10"
    is_mailed = False
    while not is_mailed:
        with database.writing() as connection:
            given = claim(connection, month, {NOW})
        is_mailed = given.is_given or given.is_mailed
    if given.is_given:
        print(month)
        with database.writing() as connection:
            settle(connection, month, is_mailed=True)
database.close()
"""


async def test_one_claim_until_it_is_settled(store: Store) -> None:
    assert await store.claim_report("2026-10", NOW) == Claim(is_given=True)
    for later in (-1, 0, 1, CLAIM_SECONDS - 1):
        assert await store.claim_report("2026-10", NOW + later) == Claim()

    await store.settle_report("2026-10", is_mailed=True)

    assert await store.claim_report("2026-10", NOW + 1) == Claim(is_mailed=True)
    assert await store.claim_report("2026-09", NOW + 1) == Claim(is_mailed=True)
    assert await store.claim_report("2026-11", NOW + 1) == Claim(is_given=True)


async def test_a_failed_one_may_be_claimed_again(store: Store) -> None:
    await store.claim_report("2026-10", NOW)
    await store.settle_report("2026-10", is_mailed=False)

    assert await store.claim_report("2026-10", NOW + 1) == Claim(is_given=True)


async def test_a_claim_of_a_process_that_has_ended_expires(store: Store) -> None:
    await store.claim_report("2026-10", NOW)

    assert await store.claim_report("2026-10", NOW + CLAIM_SECONDS) == Claim(is_given=True)


async def test_a_report_that_was_never_mailed_is_dropped_with_the_next_month(store: Store) -> None:
    for month, is_mailed, dropped in [
        ("2026-08", True, ""),
        ("2026-09", False, ""),
        ("2026-09", False, ""),
        ("2026-11", False, "2026-09"),
        ("2026-11", True, ""),
        ("2026-12", True, ""),
    ]:
        given = await store.claim_report(month, NOW)
        assert given == Claim(is_given=True, dropped=dropped), month
        await store.settle_report(month, is_mailed=is_mailed)


async def test_what_is_mailed_late_changes_nothing_of_later_months(store: Store) -> None:
    await store.claim_report("2026-10", NOW)
    await store.settle_report("2026-10", is_mailed=True)
    await store.settle_report("2026-09", is_mailed=True)

    assert (await store.read(Reader.meta)).report_mailed == "2026-10"


async def test_two_stores_at_the_same_time(open_store: Open, database_url: str) -> None:
    stores = [await open_store(database_url) for _ in range(4)]

    for year in range(2001, 2013):
        claims = await asyncio.gather(*(store.claim_report(f"{year}-10", NOW) for store in stores))
        assert sorted(claim.is_given for claim in claims) == [False, False, False, True]
        await stores[year % 4].settle_report(f"{year}-10", is_mailed=True)


def test_three_processes_at_the_same_time(database_url: str) -> None:
    open_database(database_url).close()

    def start(_: int) -> list[str]:
        command = [sys.executable, "-W", "error", "-c", PROGRAM, database_url]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return ended.stdout.split()

    with ThreadPoolExecutor(3) as threads:
        given = sorted(month for months in threads.map(start, range(3)) for month in months)

    assert given == [f"{year}-10" for year in range(2001, 2013)]


def test_a_stricter_isolation_of_the_server_changes_nothing(database_url: str) -> None:
    """With a snapshot of before the lock, a claim fails rather than being given twice."""
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one isolation level")
    database = open_database(database_url)
    with database.writing() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(
            f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"
        )
    database.close()
    databases = [open_database(database_url) for _ in range(4)]

    def run(database: Database) -> bool:
        with suppress(DatabaseUnavailable), database.writing() as connection:
            return claim(connection, "2026-10", NOW).is_given
        return False

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(run, databases)) == 1
    for database in databases:
        database.close()


async def test_without_a_database_none_is_claimed(open_store: Open) -> None:
    store = await open_store("")

    with pytest.raises(HistoryUnavailable, match=r"c\.Activity\.database_url"):
        await store.claim_report("2026-10", NOW)


def test_what_is_stored(database: Database) -> None:
    with database.writing() as connection:
        assert claim(connection, "2026-10", NOW).is_given
        settle(connection, "2026-10", is_mailed=True)
        meta = StoreMetadata.load(connection)

    assert (meta.report_mailed, meta.report_tried, meta.report_claimed) == ("2026-10", "2026-10", 0)
