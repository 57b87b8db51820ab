"""A column of texts of which few differ: a small number for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Labels:
    """The texts of some rows; immutable."""

    values: tuple[str | None, ...]  # each once
    codes: array[int]  # of each row, an index of ``values``

    @classmethod
    def pack(cls, texts: Iterable[str | None]) -> Labels:
        numbers: dict[str | None, int] = {}
        codes = [numbers.setdefault(text, len(numbers)) for text in texts]
        return cls(tuple(numbers), array("H" if len(numbers) <= 2**16 else "L", codes))

    def part(self, rows: slice) -> Labels:
        return Labels(self.values, self.codes[rows])

    def at(self, rows: Sequence[int]) -> Labels:
        return Labels(self.values, array(self.codes.typecode, [self.codes[row] for row in rows]))

    def __iter__(self) -> Iterator[str | None]:
        return map(self.values.__getitem__, self.codes)
