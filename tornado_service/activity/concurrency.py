"""How many servers run at a time: one sort, then a bisection for each question."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Concurrency:
    """Intervals (from a start up to its end) over time."""

    def __init__(self, starts: Iterable[int], ends: Iterable[int]) -> None:
        # arrays take a quarter of the memory of lists
        self._starts = array("q", sorted(starts))
        self._ends = array("q", sorted(ends))
        self._start_sums = array("q", accumulate(self._starts, initial=0))
        self._end_sums = array("q", accumulate(self._ends, initial=0))
        # An event's last bit says what it is: at one moment, ends come before starts.
        events = sorted([2 * end for end in self._ends] + [2 * at + 1 for at in self._starts])
        self._events = array("q", events)
        self._levels = array("q", accumulate(1 if event & 1 else -1 for event in events))

    def begun(self, start: int, end: int) -> int:
        """How many began from ``start`` up to but not at ``end``."""
        return bisect_left(self._starts, end) - bisect_left(self._starts, start)

    def seconds(self, start: int, end: int) -> int:
        """Server-seconds between two moments."""
        return self._seconds_before(end) - self._seconds_before(start)

    def peak(self, start: int, end: int) -> int:
        """Most at one moment from ``start`` up to but not at ``end``."""
        low = bisect_left(self._events, 2 * start + 2)
        high = bisect_left(self._events, 2 * end, low)
        at_start = self._levels[low - 1] if low else 0
        return max(at_start, max(self._levels[low:high], default=0))

    def _seconds_before(self, moment: int) -> int:
        begun = bisect_right(self._starts, moment)
        ended = bisect_right(self._ends, moment)
        return (begun - ended) * moment - self._start_sums[begun] + self._end_sums[ended]
