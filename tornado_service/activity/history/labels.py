"""A column of texts of which few differ: a small number for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .columns import compact

Label = TypeVar("Label", bound="str | None")


@dataclass(frozen=True, eq=False)
class Labels(Generic[Label]):
    """The texts of some rows; immutable."""

    values: tuple[Label, ...]  # each once
    codes: array[int]  # of each row, an index of ``values``

    @classmethod
    def pack(cls, texts: Iterable[Label]) -> Labels[Label]:
        numbers: dict[Label, int] = {}
        codes = [numbers.setdefault(text, len(numbers)) for text in texts]
        return cls(tuple(numbers), compact(codes))

    def part(self, rows: slice) -> Labels[Label]:
        return Labels(self.values, self.codes[rows])

    def at(self, rows: Sequence[int]) -> Labels[Label]:
        return Labels(self.values, array(self.codes.typecode, [self.codes[row] for row in rows]))

    def __getitem__(self, row: int) -> Label:
        return self.values[self.codes[row]]

    def __iter__(self) -> Iterator[Label]:
        return map(self.values.__getitem__, self.codes)
