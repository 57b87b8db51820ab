"""Concurrent servers: one sort, then a bisection for each query."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise


class Concurrency:
    """Intervals (from a start up to its end) over time."""

    def __init__(self, starts: Iterable[int], ends: Iterable[int]) -> None:
        # An event's last bit says what it is: at one moment, ends come before starts.
        events = [2 * end for end in ends]
        events += [2 * start + 1 for start in starts]
        events.sort()
        # after so many events: how many run, and the ends less the starts;
        # arrays take a quarter of the memory of lists
        levels = accumulate([1 if event & 1 else -1 for event in events], initial=0)
        times = [-(event >> 1) if event & 1 else event >> 1 for event in events]
        sums = accumulate(times, initial=0)
        self._events = array("q", events)
        self._levels = array("q", levels)
        self._sums = array("q", sums)

    def count_started(self, start: int, end: int) -> int:
        """How many began from ``start`` up to but not at ``end``."""
        places = (self._index_of(moment) for moment in (start, end))
        before_start, before_end = ((place + self._levels[place]) // 2 for place in places)
        return before_end - before_start

    def between(self, moments: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Server-seconds and peak between each of these moments and the next."""
        places = list(map(self._index_of, moments))
        ran = [self._levels[k] * at + self._sums[k] for k, at in zip(places, moments, strict=True)]
        for (low, high), (before, after), start in zip(
            pairwise(places), pairwise(ran), moments, strict=False
        ):
            while low < high and self._events[low] >> 1 == start:
                low += 1  # what happens at the first moment is over at once
            yield after - before, max(self._levels[low : high + 1])

    def _index_of(self, moment: int) -> int:
        return bisect_left(self._events, 2 * moment)
