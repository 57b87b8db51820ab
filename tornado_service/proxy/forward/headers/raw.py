"""Headers in their order and with the spelling of their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tornado.httputil import HTTPHeaders


class RawHeaders(HTTPHeaders):
    """Like Tornado's headers, but with the names as the other side has written them.

    Args:
        lines: names and values, decoded as latin-1.
    """

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        # not super().__init__(): it fills its own containers, which nothing here reads
        self._lines = [(name.lower(), name, value) for name, value in lines]

    def add(self, name: str, value: str, *, _chars_are_bytes: bool = True) -> None:
        """Add a line; others of the same name stay."""
        self._lines.append((name.lower(), name, value))

    def get_list(self, name: str) -> list[str]:
        """The values of all lines of a name."""
        wanted = name.lower()
        return [value for given, _, value in self._lines if given == wanted]

    def get_all(self) -> Iterable[tuple[str, str]]:
        """All lines in their order."""
        return [(name, value) for _, name, value in self._lines]

    def change(self, change: Callable[[str, str], str | None]) -> None:
        """Replace the values of all lines.

        Args:
            change: makes a new value of a name, in lower case, and a value; None drops the line.
        """
        self._lines = [
            (lower, name, changed)
            for lower, name, value in self._lines
            if (changed := change(lower, value)) is not None
        ]

    def __setitem__(self, name: str, value: str) -> None:
        self.discard(name)
        self.add(name, value)

    def __getitem__(self, name: str) -> str:
        values = self.get_list(name)
        if not values:
            raise KeyError(name)
        return ",".join(values)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self.discard(name)

    def discard(self, name: str) -> None:
        """Remove all lines of a name, if there are any."""
        wanted = name.lower()
        self._lines = [line for line in self._lines if line[0] != wanted]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in [line[0] for line in self._lines]

    def __iter__(self) -> Iterator[str]:
        return iter({lower: name for lower, name, _ in self._lines}.values())

    def __len__(self) -> int:
        return len({line[0] for line in self._lines})

    def copy(self) -> RawHeaders:
        """Headers with the same lines."""
        return RawHeaders(self.get_all())

    __copy__ = copy
