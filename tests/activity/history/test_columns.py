"""Columns of numbers in as few bytes as they need."""

import pytest

from tornado_service.activity.domain.records import FAR_FUTURE
from tornado_service.activity.history.columns import compact


@pytest.mark.parametrize(
    ("numbers", "size"),
    [
        ([], 1),
        ([0, 255], 1),
        ([256], 2),
        ([65_535], 2),
        ([65_536], 4),
        ([2**32 - 1], 4),
        ([2**32], 8),
        ([-1, 7], 8),
        ([FAR_FUTURE, 3], 8),
    ],
)
def test_numbers_take_as_few_bytes_as_the_largest_needs(numbers: list[int], size: int) -> None:
    column = compact(numbers)
    assert (list(column), column.itemsize) == (numbers, size)
