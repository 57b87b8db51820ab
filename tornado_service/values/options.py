"""The rules for options of ``tornado-service values`` that become names or parts of URLs."""

import re
from collections.abc import Iterable
from typing import Any

from . import names
from .deployment import HUB_PORT
from .merge import ValuesError

BASE_URL_PATTERN = re.compile(r"(/(?!\.{1,2}(/|$))[-A-Za-z0-9._~@+,=]+)*")


def validate_options(app: Any, hub: str) -> None:
    """Check that Kubernetes, Helm and JupyterHub accept what the options become.

    Args:
        app: the command.
        hub: the name that follows for the hub's Kubernetes Service.

    Raises:
        ValuesError: they do not; the message names the option and the rule.
    """
    name, image = app.service_name, app.image
    image_name, _, tag = image.rpartition(":")
    for is_valid, problem in (
        (
            names.SERVICE.allows(name),
            f"--name={name}: it is also the name of a role and of a port, so {names.SERVICE.hint}",
        ),
        (
            name not in names.RESERVED_NAMES,
            f"--name={name}: the hub or the chart has a role, service or port of it",
        ),
        (app.port != HUB_PORT, f"--port={HUB_PORT} is the hub's own"),
        (
            not app.release or names.RELEASE.allows(app.release),
            f"--release={app.release}: Helm takes {names.RELEASE.hint}",
        ),
        (
            names.LABEL_VALUE.allows(app.name_override),
            f"--name-override={app.name_override}: it is the value of a label, so"
            f" {names.LABEL_VALUE.hint}",
        ),
        (
            names.KUBERNETES_SERVICE.allows(hub),
            f"--fullname-override, --name-override and --release make {hub!r} of the hub's"
            f" Kubernetes Service, which takes {names.KUBERNETES_SERVICE.hint}",
        ),
        (image_name and "/" not in tag, f"--image={image}: write it as NAME:TAG"),
        (
            names.IMAGE.allows(image_name),
            f"--image={image}: its name takes {names.IMAGE.hint}",
        ),
        (names.IMAGE_TAG.allows(tag), f"--image={image}: its tag takes {names.IMAGE_TAG.hint}"),
        (all(group.strip() for group in app.groups), "--group= names no group"),
    ):
        if not is_valid:
            raise ValuesError(problem)


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
    """Check that the hub accepts the scopes that apps define.

    Raises:
        ValuesError: it does not.
    """
    for scope in scopes:
        if not names.CUSTOM_SCOPE.allows(scope):
            raise ValuesError(f"scope {scope} of an app: the hub takes {names.CUSTOM_SCOPE.hint}")
