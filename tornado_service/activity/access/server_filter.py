"""Filters of running servers by duration."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from ..figures.servers.running import Running

#: Seconds of the units.
UNITS = {"m": 60, "h": 3600, "d": 86400}

#: A number of minutes, hours or days.
Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}[mhd]$", examples=["30m", "2h", "1d"])]

#: What the page marks if the query names no limit.
IDLE_LIMIT, RUNNING_LIMIT = "1h", "1d"


class ServerFilter(BaseModel):
    """Which servers are shown: those that exceed all durations that are named."""

    idle_over: Duration | None = Field(
        None,
        description="Only servers idle for longer than this: a number and m, h or d, as in 30m, "
        "2h or 1d. Servers whose idle time is unknown are left out.",
    )
    running_over: Duration | None = Field(
        None, description="Only servers running for longer than this, such as 1d."
    )

    def includes(self, server: Running) -> bool:
        return (self.idle_over is None or is_over(server.idle, self.idle_over)) and (
            self.running_over is None or is_over(server.seconds, self.running_over)
        )

    @property
    def idle_limit(self) -> str:
        """The idle time above which a server is marked."""
        return self.idle_over or IDLE_LIMIT

    @property
    def running_limit(self) -> str:
        """The running time above which a server is marked."""
        return self.running_over or RUNNING_LIMIT

    def marks_idle(self, server: Running) -> bool:
        return is_over(server.idle, self.idle_limit)

    def marks_running(self, server: Running) -> bool:
        return is_over(server.seconds, self.running_limit)


def is_over(seconds: int | None, duration: str) -> bool:
    """Whether a time exceeds a duration; one that is not known does not."""
    return seconds is not None and seconds > to_seconds(duration)


def to_seconds(duration: str) -> int:
    return int(duration[:-1]) * UNITS[duration[-1]]
