"""What the figures of all users have in common, computed before a request waits for it."""

from __future__ import annotations

from collections import deque
from datetime import date, timedelta

from .figures.durations import lengths
from .figures.users import costs_of, user_totals
from .history.history import History
from .history.server_days import server_days

#: Days before the latest sample: the longest period that pages offer, but for all of the time.
PREPARED_DAYS = 366


def prepare(history: History, last: date) -> None:
    """Fill the cache of a history with the sums of weeks and months that are over."""
    first = last - timedelta(days=PREPARED_DAYS)
    lengths(history, first, last)
    deque(server_days(history, first, last), maxlen=0)
    costs_of(history, first, last, user_totals(history, first, last))
