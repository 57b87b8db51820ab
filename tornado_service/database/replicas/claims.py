"""Claims: settings that shape stored data, on which all replicas have to agree."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from .watched import Watched

#: Seconds after which the claim of a replica that is gone no longer counts.
LIFETIME = 60.0

#: Seconds between two confirmations of a claim, and between two attempts of a refused one.
INTERVAL = 5.0

#: Seconds for which a replica may be sure of its claim: less than the lifetime, for safety.
CONFIRMED_FOR = 50.0


@dataclass(frozen=True)
class Conflict:
    """Another replica's claim.

    Attributes:
        value: the value that it claims.
        instance: the name of the replica.
    """

    value: Any
    instance: str


class Claim(Watched):
    """A replica's value of something on which all replicas have to agree.

    It is refused while another replica holds another value. Without a shared database it is held.

    Attributes:
        key: what is claimed.
        value: any JSON value.
        conflict: the other replica's claim, if this one is refused.
    """

    def __init__(self, key: str, value: Any) -> None:
        super().__init__()
        self.key = key
        self.value = value
        self.conflict: Conflict | None = None

    @property
    def is_held(self) -> bool:
        """Whether no other replica has another value; False as well as long as it is unknown."""
        return True

    @property
    def _value(self) -> bool:
        return self.is_held

    def close(self) -> None:
        """Give the claim up. The service calls this when the app has stopped."""
        self._callbacks.clear()


class SharedClaim(Claim):
    """A claim of one of several replicas: a row in the shared database.

    Args:
        app: the app's name.
        key: what is claimed.
        value: any JSON value.
        of_database: whether it counts for all services that share the database.
    """

    def __init__(self, app: str, key: str, value: Any, of_database: bool = False) -> None:
        super().__init__(key, value)
        self.app = app
        self.of_database = of_database
        self.encoded = json.dumps(value, sort_keys=True, allow_nan=False)
        self.is_closed = False
        self._confirmed_at: float | None = None

    @property
    def is_held(self) -> bool:
        at = self._confirmed_at
        return at is not None and time.monotonic() - at < CONFIRMED_FOR and not self.is_closed

    @property
    def _seconds_left(self) -> float | None:
        at = self._confirmed_at
        return None if at is None else at + CONFIRMED_FOR - time.monotonic()

    def record(self, began: float, conflict: Conflict | None) -> None:
        """Record the result of an attempt.

        Args:
            began: when it began, on the monotonic clock.
            conflict: the claim of another replica, if it was refused.
        """
        self.conflict = conflict
        self._confirmed_at = None if conflict else began
        self._notify()

    def close(self) -> None:
        super().close()
        self.is_closed = True
