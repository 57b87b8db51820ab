"""What was made of parts that have not changed since."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from operator import is_
from typing import Any, TypeVar

Value = TypeVar("Value")


class DerivedCache:
    """Values by key, each for as long as what it was made of is the very same.

    A history never changes, and the next one shares with it all that is as it was.
    """

    def __init__(self) -> None:
        self._entries: dict[Hashable, tuple[Sequence[object], Any]] = {}

    def get(self, key: Hashable, of: Sequence[object], make: Callable[[], Value]) -> Value:
        """A value that is made of these, now if it has not been yet."""
        known = self._entries.get(key)
        if known is None or not _are_same(known[0], of):
            known = self._entries[key] = of, make()
        value: Value = known[1]
        return value


def _are_same(these: Sequence[object], those: Sequence[object]) -> bool:
    return len(these) == len(those) and all(map(is_, these, those))
