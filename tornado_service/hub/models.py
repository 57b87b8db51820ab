"""The hub's models of users, their servers and groups."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from .transport import HubUnavailable

Parsed = TypeVar("Parsed", bound=BaseModel)


class HubModel(BaseModel):
    """A named object. ``None`` in any other field: not visible to the token, or not set.

    Unknown fields are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str


class Server(HubModel):
    """A server that is running, starting or stopping. Needs ``read:servers``.

    Attributes:
        name: empty for the user's default server.
        started: when its start began.
        last_activity: the last activity that the hub knows of; updated every few minutes.
        pending: ``spawn``, ``stop`` or ``check`` while that is in progress.
        ready: whether it can be used.
    """

    started: AwareDatetime | None = None
    last_activity: AwareDatetime | None = None
    pending: str | None = None
    ready: bool | None = None


class User(HubModel):
    """A user, with the fields that a token may see. The hub never shows its own ID of a user.

    Attributes:
        admin: shown with the name.
        created: needs all of ``read:users``.
        last_activity: time of the last activity; needs ``read:users:activity``.
        groups: names; needs ``read:users:groups``.
        roles: names; needs ``read:roles:users`` or ``read:users``.
        servers: running and starting servers, by name; needs ``read:servers``. Empty if there is
            none, and ``None`` if the token may not see them.
    """

    kind: str | None = None
    admin: bool | None = None
    created: AwareDatetime | None = None
    last_activity: AwareDatetime | None = None
    groups: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None
    servers: dict[str, Server] | None = None


class Group(HubModel):
    """A group, with the fields that a token may see.

    Attributes:
        users: names of its members; needs ``read:groups``.
        properties: set by admins or the authenticator; needs ``read:groups``.
    """

    users: tuple[str, ...] | None = None
    properties: dict[str, Any] | None = None


def parse_model(model: type[Parsed], value: Any) -> Parsed:
    """Parse the hub's response as a model.

    Raises:
        HubUnavailable: it does not match the model.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        name = model.__name__.strip("_")
        raise HubUnavailable(
            f"its response is no valid {name}, see {where or 'its type'}"
        ) from error
