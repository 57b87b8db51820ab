"""Small lines that show how a figure went, drawn without a script."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

#: The size of the drawing, in its own units.
WIDTH, HEIGHT = 120, 24

#: Room for the width of the line.
MARGIN = 2


def sparkline(values: Sequence[float | None]) -> list[str]:
    """The points of each line of values in a row that are known; none if fewer than two are known.

    A single value between gaps is a line of its own, to a point very near.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return []
    most = max(known) or 1
    step = (WIDTH - 2 * MARGIN) / (len(values) - 1)
    points = [
        None
        if value is None
        else (MARGIN + number * step, HEIGHT - MARGIN - value / most * (HEIGHT - 2 * MARGIN))
        for number, value in enumerate(values)
    ]
    lines = []
    for is_gap, group in groupby(points, lambda point: point is None):
        if not is_gap:
            line = [point for point in group if point]
            line = line if len(line) > 1 else [line[0], (line[0][0] + 0.1, line[0][1])]
            lines.append(" ".join(f"{x:.1f},{y:.1f}" for x, y in line))
    return lines
