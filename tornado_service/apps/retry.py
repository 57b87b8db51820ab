"""Transient errors: which errors are worth a retry, and when to retry."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from ..hub.calls import HubRefused
from ..hub.errors import HubUnavailable

#: Seconds before the first retry.
INITIAL_DELAY = 1.0

#: Maximum seconds between two retries.
MAX_DELAY = 60.0


def backoff_delays(max_delay: float | None = None) -> Iterator[float]:
    """Seconds before each retry: each delay is twice the previous one.

    Args:
        max_delay: the upper bound; by default ``MAX_DELAY``.
    """
    max_delay = MAX_DELAY if max_delay is None else max_delay
    return (min(INITIAL_DELAY * 2 ** min(n, 32), max_delay) for n in itertools.count())


def transient_cause(error: BaseException) -> BaseException | None:
    """The transient error that an exception is or was caused by; ``None`` if there is none.

    Args:
        error: its chain of causes is searched, as a traceback shows it.
    """
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if (verdict := _is_transient(cause)) is not None:
            return cause if verdict else None
        cause = _cause(cause)
    return None


def describe_error(error: BaseException) -> str:
    """The message of a transient error, in one line for administrators."""
    from ..database.errors import (  # not loaded for apps without a database
        DatabaseUnusable,
        driver_message,
    )

    if isinstance(error, HubUnavailable):
        return f"JupyterHub does not respond: {error.detail}"
    if isinstance(error, HubRefused):
        return f"The hub refused the service's own token, which needs the scope {error.scope}."
    if isinstance(error, DatabaseUnusable):
        return str(error)
    return f"{type(error).__name__}: {driver_message(error)}"


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_transient(error: BaseException) -> bool | None:
    """Whether an error is transient; ``None``: only its cause can show that."""
    from ..database.errors import DatabaseUnavailable, DatabaseUnusable

    if isinstance(error, (HubUnavailable, HubRefused)):
        return getattr(error, "retry_after", None) is not None
    if isinstance(error, DatabaseUnavailable):
        cause = error.__cause__
        return cause is None or _is_transient_of_driver(cause) is not False
    if isinstance(error, DatabaseUnusable):
        return False
    return _is_transient_of_driver(error)


def _is_transient_of_driver(error: BaseException) -> bool | None:
    """Whether an error of a database driver or SQLAlchemy is transient; ``None`` for others."""
    from ..database.errors import is_transient

    if getattr(error, "connection_invalidated", False):
        return True
    orig: BaseException = getattr(error, "orig", None) or error  # wrapped by SQLAlchemy
    names = {cls.__name__ for cls in type(orig).__mro__}
    if "DatabaseError" not in names and "InterfaceError" not in names:
        return None
    return is_transient(orig)
