"""Columns of numbers."""

from __future__ import annotations

from array import array
from collections.abc import Sequence


def compact(numbers: Sequence[int]) -> array[int]:
    """An array that has as few bytes for each number as the largest one needs."""
    for code in "BHI":
        try:
            return array(code, numbers)
        except OverflowError:
            pass
    return array("q", numbers)
