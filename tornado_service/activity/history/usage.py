"""Usage on one day, packed: active users as bits of a number, rows as columns."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

from ..domain.records import UserDay
from .columns import compact


@dataclass(frozen=True)
class UsageRows:
    """Usage by user, as parallel columns; see `UserDay`."""

    users: array[int]
    seconds: array[int]
    sessions: array[int]
    observed: array[int]
    idle: array[int]

    def restricted(self, users: frozenset[int]) -> UsageRows:
        chosen = map(users.__contains__, self.users)
        rows = list(compress(range(len(self.users)), chosen))  # mostly few
        columns = (self.users, self.seconds, self.sessions, self.observed, self.idle)
        return UsageRows(
            *(array(column.typecode, [column[row] for row in rows]) for column in columns)
        )


class DayUsage:
    """Usage on one day: bit n of ``active`` is set if user n was active."""

    def __init__(self, active: int, load_rows: Callable[[], UsageRows]) -> None:
        self.active = active
        self._load_rows = load_rows

    @classmethod
    def pack(cls, rows: Iterable[UserDay]) -> DayUsage:
        rows = list(rows)
        packed = UsageRows(
            compact([row.user for row in rows]),
            compact([row.seconds for row in rows]),
            compact([row.sessions for row in rows]),
            compact([row.observed for row in rows]),
            compact([row.idle for row in rows]),
        )
        return cls(bitmap(packed.users), lambda: packed)

    @cached_property
    def rows(self) -> UsageRows:
        return self._load_rows()

    @cached_property
    def seconds(self) -> int:
        """Server-seconds."""
        return sum(self.rows.seconds)

    @cached_property
    def sessions(self) -> int:
        return sum(self.rows.sessions)

    @cached_property
    def observed(self) -> int:
        """Server-seconds of which it is known whether the servers were idle."""
        return sum(self.rows.observed)

    @cached_property
    def idle(self) -> int:
        """Server-seconds of these in which they were."""
        return sum(self.rows.idle)

    def restricted(self, users: frozenset[int], mask: int) -> DayUsage:
        """The part of some users, who are also the bits of the mask."""
        return DayUsage(self.active & mask, lambda: self.rows.restricted(users))


def bitmap(users: Collection[int]) -> int:
    packed = bytearray(max(users, default=0) // 8 + 1)
    for user in users:
        packed[user >> 3] |= 1 << (user & 7)
    return int.from_bytes(packed, "little")


def members(bits: int) -> list[int]:
    """The set bits of a number, ascending."""
    packed = bits.to_bytes(bits.bit_length() // 8 + 1, "little")
    return [8 * place + bit for place, byte in enumerate(packed) if byte for bit in _BITS[byte]]


#: The set bits of each byte.
_BITS = [tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256)]
