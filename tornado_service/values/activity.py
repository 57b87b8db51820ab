"""The built-in app in values."""

from collections.abc import Iterable

#: The name of its entry point, which is how settings name it.
ENTRY_POINT = "activity"

#: Where the chart mounts the volume of the hub's own database: the hub's working directory.
HUB_DIRECTORY = "/srv/jupyterhub"


def includes_activity(apps: Iterable[str]) -> bool:
    return any(app == ENTRY_POINT or app.startswith("tornado_service.activity") for app in apps)
