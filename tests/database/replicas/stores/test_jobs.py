"""The runs of jobs, in PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text

from tornado_service.database.replicas.stores.jobs import RETRY, JobStore
from tornado_service.database.replicas.stores.shared_database import SharedDatabase
from tornado_service.database.replicas.stores.tables import leaders


@pytest.fixture
def jobs(database: SharedDatabase) -> JobStore:
    with database.writing() as connection:
        connection.execute(
            insert(leaders).values(
                service="tornado-service", app="activity", term=5, instance="one"
            )
        )
    return JobStore(database)


def begin(jobs: JobStore, interval: float = 3600, term: int = 5) -> float:
    return jobs.begin("activity", "collect", interval, term)


def test_a_run_is_due_after_the_interval(jobs: JobStore, database: SharedDatabase) -> None:
    assert begin(jobs) == 0
    jobs.finish("activity", "collect")

    assert 3500 < begin(jobs) <= 3600
    with database.writing() as connection:
        connection.execute(
            text("UPDATE tornado_service_jobs SET started_at = now() - interval '1 hour'")
        )
    assert begin(jobs) == 0


def test_an_unfinished_run_is_repeated(jobs: JobStore, other: SharedDatabase) -> None:
    assert begin(jobs) == 0
    assert begin(JobStore(other)) == 0
    jobs.finish("activity", "collect")  # it is no longer this replica's run

    assert begin(jobs) == 0


def test_only_the_current_leader_begins(jobs: JobStore) -> None:
    assert begin(jobs, term=4) == RETRY
    assert begin(jobs) == 0
    assert begin(jobs, interval=0.001, term=6) == RETRY


def test_a_clock_that_was_set_back_delays_nothing(jobs: JobStore, database: SharedDatabase) -> None:
    assert begin(jobs) == 0
    jobs.finish("activity", "collect")
    with database.writing() as connection:
        connection.execute(
            text("UPDATE tornado_service_jobs SET started_at = now() + interval '1 day'")
        )

    assert begin(jobs) == 0
