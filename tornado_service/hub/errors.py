"""Errors of calls of the Hub API."""

from __future__ import annotations

from ..service_unavailable import ServiceUnavailable

MIB = 1024 * 1024


class HubUnavailable(ServiceUnavailable):
    """The hub sent no usable response in time: 503, try again later.

    Attributes:
        is_transient: whether the same call may succeed shortly, so that a client may repeat a
            call that changes nothing.
        hub_retry_after: the hub's ``Retry-After`` in seconds.
        is_logged: during an outage the circuit breaker logs it once, instead of each request.
    """

    _logged_as = "No usable response from JupyterHub"
    _message = "JupyterHub does not respond at the moment. Try again shortly."

    def __init__(
        self,
        detail: str,
        retry_after: int | None = 5,
        *,
        is_transient: bool = False,
        hub_retry_after: int = 0,
        is_logged: bool = False,
    ) -> None:
        if retry_after is not None:
            retry_after = max(retry_after, hub_retry_after)
        super().__init__(detail, retry_after, is_logged=is_logged)
        self.is_transient = is_transient
        self.hub_retry_after = hub_retry_after

    def __str__(self) -> str:
        # an app's background task that logs the error logs the reason
        return f"{super().__str__()}: {self.detail}"


class HubResponseTooLarge(HubUnavailable):
    """The hub's response is larger than the limit: 502. This is no outage.

    A list is read in smaller pages before this is raised.
    """

    _status = 502
    _message = (
        "JupyterHub sent more data than this service reads, and trying again does not help."
        " Give the request ID to an administrator: the log has the size and the limit."
    )

    def __init__(self, call: str, limit: int, size: int | None) -> None:
        has = f"has {size / MIB:.1f} MiB" if size else "is too large"
        super().__init__(
            f"the response to {call} {has}; the limit is {limit / MIB:g} MiB. Make it smaller:"
            " fewer members in a group, fewer servers of a user, or fewer scopes of a token",
            retry_after=None,
        )
