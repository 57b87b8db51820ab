"""Measured numbers and their ratios."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

DASH = "\N{EN DASH}"
Record = dict[str, Any]


class Results:
    """Numbers by measurement, contender and round."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def add(self, measure: str, contender: str, round_: int, **values: Any) -> None:
        """Store the values of one measurement."""
        self.records.append({"measure": measure, "contender": contender, "round": round_, **values})

    def values(self, measure: str, contender: str, field: str) -> list[Any]:
        """One value of each measurement, in order."""
        return [record[field] for record in self._of(measure, contender)]

    def ratios(self, measure: str, contender: str, other: str, field: str) -> list[float]:
        """A contender's value ÷ the mean of the other's in the same round."""
        ratios = []
        for record in self._of(measure, contender):
            same = [row[field] for row in self._of(measure, other, record["round"])]
            if same and statistics.mean(same):
                ratios.append(record[field] / statistics.mean(same))
        return ratios

    def _of(self, measure: str, contender: str, round_: int | None = None) -> Iterator[Record]:
        for record in self.records:
            is_it = (record["measure"], record["contender"]) == (measure, contender)
            if is_it and round_ in (None, record["round"]):
                yield record


def median(values: list[float], format_: str = ".2f", unit: str = "") -> str:
    """The median and, for three values or more, the quartiles."""
    if not values:
        return DASH
    middle = f"{statistics.median(values):{format_}}{unit}"
    if len(values) < 3:
        return middle
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle} [{low:{format_}}{DASH}{high:{format_}}]"
