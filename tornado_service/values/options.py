"""The rules for options of ``tornado-service values`` that become names or parts of URLs."""

import re
from collections.abc import Iterable
from typing import Protocol

from . import names
from .deployment import HUB_PORT
from .merge import ValuesError

BASE_URL_PATTERN = re.compile(r"(/(?!\.{1,2}(/|$))[-A-Za-z0-9._~@+,=]+)*")


class NameOptions(Protocol):
    """The options of the command that become names."""

    service_name: str
    port: int
    release: str
    name_override: str
    image: str
    groups: list[str]


def validate_options(app: NameOptions, hub: str) -> None:
    """See that Kubernetes, Helm and JupyterHub take what is made of the options.

    Args:
        app: the command.
        hub: the name that follows for the hub's Kubernetes Service.

    Raises:
        ValuesError: they do not; the message names the option and the rule.
    """
    _validate_name(app.service_name)
    if app.port == HUB_PORT:
        raise ValuesError(f"--port={HUB_PORT} is the hub's own")
    if app.release and not names.RELEASE.allows(app.release):
        raise ValuesError(f"--release={app.release}: Helm takes {names.RELEASE.hint}")
    if not names.LABEL_VALUE.allows(app.name_override):
        raise ValuesError(
            f"--name-override={app.name_override}: it is the value of a label, so"
            f" {names.LABEL_VALUE.hint}"
        )
    if not names.KUBERNETES_SERVICE.allows(hub):
        raise ValuesError(
            f"--fullname-override, --name-override and --release make {hub!r} of the hub's"
            f" Kubernetes Service, which takes {names.KUBERNETES_SERVICE.hint}"
        )
    _validate_image(app.image)
    if not all(group.strip() for group in app.groups):
        raise ValuesError("--group= names no group")


def _validate_name(name: str) -> None:
    if not names.SERVICE.allows(name):
        raise ValuesError(
            f"--name={name}: it is also the name of a role and of a port, so {names.SERVICE.hint}"
        )
    if name in names.RESERVED_NAMES:
        raise ValuesError(f"--name={name}: the hub or the chart has a role, service or port of it")


def _validate_image(image: str) -> None:
    name, _, tag = image.rpartition(":")
    if not name or "/" in tag:
        raise ValuesError(f"--image={image}: write it as NAME:TAG")
    if not names.IMAGE.allows(name):
        raise ValuesError(f"--image={image}: its name takes {names.IMAGE.hint}")
    if not names.IMAGE_TAG.allows(tag):
        raise ValuesError(f"--image={image}: its tag takes {names.IMAGE_TAG.hint}")


def normalize_base_url(text: str) -> str:
    """The hub's base URL as JupyterHub has it, with a slash at both ends.

    Raises:
        ValuesError: it is no path.
    """
    path = "".join(f"/{part}" for part in text.split("/") if part)
    if not BASE_URL_PATTERN.fullmatch(path) or "://" in text:
        raise ValuesError(f"--base-url={text}: it is a path as in hub.baseUrl, such as /lab/")
    return f"{path}/"


def validate_custom_scopes(scopes: Iterable[str]) -> None:
    """See that the hub takes the scopes that apps have made up.

    Raises:
        ValuesError: it does not.
    """
    for scope in scopes:
        if not names.CUSTOM_SCOPE.allows(scope):
            raise ValuesError(f"scope {scope} of an app: the hub takes {names.CUSTOM_SCOPE.hint}")
