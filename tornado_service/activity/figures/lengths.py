"""How long sessions last."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from operator import sub

from .history import History
from .sessions import AT_ONCE


@dataclass(frozen=True)
class Lengths:
    """Of the sessions that began in a range; lengths are seconds, of the finished ones.

    Attributes:
        finished: how many have ended.
        running: how many have not.
        mean: ``None`` where none has ended, like the next two.
        median: of an even number: halfway between the two in the middle.
        longest_running: how long the oldest of the running ones has run so far.
    """

    finished: int
    running: int
    mean: float | None
    median: float | None
    longest: int | None
    longest_running: int | None


def lengths(history: History, first: date, last: date) -> Lengths | None:
    """``None``: nothing was watched, or sessions of that time are not kept any more."""
    span = history.span(first, last)
    if not history.has_sessions_of(first) or not history.covered(first, last):
        return None
    begun = history.sessions.begun(span.start, span.end)
    finished = len(begun.users)
    counts: Counter[int] = Counter()
    for at in range(0, finished, AT_ONCE):
        part = slice(at, at + AT_ONCE)
        counts.update(map(sub, begun.ends[part], begun.started[part]))
    return Lengths(
        finished=finished,
        running=len(begun.running),
        mean=sum(length * count for length, count in counts.items()) / finished
        if finished
        else None,
        median=_median(counts, finished) if finished else None,
        longest=max(counts, default=None),
        longest_running=max((each.end - each.started for each in begun.running), default=None),
    )


def _median(counts: Counter[int], total: int) -> float:
    """As `statistics.median`, without sorting each of them."""
    passed, low = 0, None
    for length in sorted(counts):
        passed += counts[length]
        if low is None and passed > (total - 1) // 2:
            low = length
        if low is not None and passed > total // 2:
            return (low + length) / 2
    raise ValueError("There is nothing to halve.")
