"""Coverage: when the hub was watched."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.records import Interval

#: Two samples up to so many intervals apart have watched the time between them.
MAX_GAP_INTERVALS = 2.5


def max_gap(interval: int) -> int:
    """Seconds up to which two samples are of one stretch.

    Args:
        interval: seconds from one sample to the next, as it is set.
    """
    return int(interval * MAX_GAP_INTERVALS)


def extend(near: Iterable[Interval], taken: int) -> Interval:
    """What is watched in one piece with a sample.

    Args:
        near: the pieces within reach of it, which become one.
        taken: when the sample was taken.
    """
    near = list(near)
    start = min([taken, *(each.start for each in near)])
    return Interval(start, max([taken, *(each.end for each in near)]))
