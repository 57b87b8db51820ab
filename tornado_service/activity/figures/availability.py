"""Data availability: the one place that decides which figures of a period are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from ..domain.calendar import local_date
from ..history.history import History

#: Days after which a user who was active on one day only is said not to have returned.
RETURN_WITHIN = 30

#: Two periods are compared when data covers at least so much of each.
COMPARABLE = 0.95


@dataclass(frozen=True)
class Availability:
    """What is known of the days from ``first`` to ``last``. Without data, nothing is."""

    coverage: float  # the part of the period that has data, 0 to 1
    has_begun: bool  # whether it began before the latest sample
    is_complete: bool  # whether it ended by the latest sample
    #: it has data, but not for all of its time up to the latest sample: sums are lower bounds
    is_partial: bool
    #: it has data: active users, server-hours, sessions and concurrent servers are known
    usage: bool
    accounts: bool  # accounts and new ones are known: there is a full sample by its end
    returning: bool  # users who were active before the period are known, too
    never_returned: bool  # users who never returned by ``evaluated_on`` are known
    evaluated_on: date  # the last day of the period, or of the data
    keeps_sessions: bool  # no session with a part in the period has been dropped

    @property
    def lengths(self) -> bool:
        return self.usage and self.keeps_sessions


def availability(history: History, first: date, last: date) -> Availability:
    span = history.span(first, last)
    covered = history.observed_seconds(first, last)
    length = span.end - span.start
    usage = covered > 0
    evaluated_on = min(last, local_date(history.now, history.zone))
    return Availability(
        coverage=covered / length if length else 0.0,
        has_begun=span.start < history.now,
        is_complete=span.end <= history.now,
        is_partial=0 < covered < min(span.end, history.now) - span.start,
        usage=usage,
        accounts=usage and history.knows_users(last),
        returning=usage and _has_data_before(history, first),
        never_returned=usage
        and _has_data_before(history, evaluated_on - timedelta(days=RETURN_WITHIN)),
        evaluated_on=evaluated_on,
        keeps_sessions=history.has_sessions_of(first),
    )


def _has_data_before(history: History, day: date) -> bool:
    start = history.span(day, day).start
    return history.observed_from is not None and history.observed_from < start
