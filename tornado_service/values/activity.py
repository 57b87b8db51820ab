"""What is said in values of the built-in app."""

from collections.abc import Iterable

#: The name of its entry point, which is how settings name it.
ENTRY_POINT = "activity"

#: Where the chart mounts the volume of the hub's own database: the hub's working directory.
HUB_DIRECTORY = "/srv/jupyterhub"

ROLE_COMMENT = """\
Activity sees who the users are, when they were last active, and which servers run since when.
Everybody sees their own use, and admins that of all. For an instructor, in your own values:
class-a-instructors:
  groups: [class-a-instructors]
  scopes:
  - list:users!group=class-a
  - list:groups!group=class-a
  - read:groups!group=class-a"""

HISTORY_COMMENT = (
    f"Activity keeps its history in {HUB_DIRECTORY}/activity.sqlite, on the volume of the hub's own"
    " database. Where hub.db.type is another, there is no volume, and the history ends with the"
    " pod: add --Activity.database_url=postgresql+psycopg2://USER@HOST/DATABASE here, and the"
    " password as PGPASSWORD to the service's environment."
)


def includes_activity(apps: Iterable[str]) -> bool:
    """Whether it is one of these apps, as settings name them."""
    return any(app == ENTRY_POINT or app.startswith("tornado_service.activity") for app in apps)
