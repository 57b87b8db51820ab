"""The runs of jobs that one replica at a time runs, in the shared database."""

from __future__ import annotations

from sqlalchemy import DateTime, Text, extract, func, literal, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from .shared_database import SharedDatabase
from .tables import CLOCK, jobs, leaders, seconds_ago

#: Seconds after which a replica that no longer leads asks again.
RETRY = 1.0


class JobStore:
    """The jobs of one service.

    All methods raise ``DatabaseUnavailable`` if the database is not available.
    """

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database
        self._service = database.service

    def begin(self, app: str, job: str, interval: float, term: int) -> float:
        """Begin a run if it is due, and if no other replica has begun to lead since.

        It is due if the previous one began the interval ago, or if it did not end.

        Args:
            app: the app's name.
            job: the job's name in the app.
            interval: seconds.
            term: that of this leader.

        Returns:
            0 if it has begun, else the seconds to wait.
        """
        started = literal_column("clock_timestamp()", DateTime(timezone=True))
        is_current = select(
            literal(self._service, Text),
            literal(app, Text),
            literal(job, Text),
            literal(self._database.instance, Text),
            started,
            literal(False),
        ).where(leaders.c.service == self._service, leaders.c.app == app, leaders.c.term == term)
        statement = insert(jobs).from_select(
            ["service", "app", "job", "instance", "started_at", "is_finished"], is_current
        )
        statement = statement.on_conflict_do_update(
            index_elements=[jobs.c.service, jobs.c.app, jobs.c.job],
            set_={
                "instance": statement.excluded.instance,
                "started_at": statement.excluded.started_at,
                "is_finished": False,
            },
            where=or_(
                ~jobs.c.is_finished,
                jobs.c.started_at <= seconds_ago(interval),
                jobs.c.started_at > CLOCK,  # the clock was set back
            ),
        )
        passed = select(func.coalesce(extract("epoch", CLOCK - jobs.c.started_at), 0)).where(
            jobs.c.service == self._service, jobs.c.app == app, jobs.c.job == job
        )
        with self._database.writing() as connection:
            if connection.scalar(statement.returning(jobs.c.job)) is not None:
                return 0.0
            seconds = connection.scalar(passed)
        rest = 0.0 if seconds is None else interval - float(seconds)
        return rest if rest > 0 else RETRY  # another replica leads

    def finish(self, app: str, job: str) -> None:
        """Record the end of this replica's run."""
        with self._database.writing() as connection:
            connection.execute(
                update(jobs)
                .where(
                    jobs.c.service == self._service,
                    jobs.c.app == app,
                    jobs.c.job == job,
                    jobs.c.instance == self._database.instance,
                )
                .values(is_finished=True)
            )
