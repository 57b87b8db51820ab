"""Activity in a demonstration: one synthetic year, with users for it."""

import asyncio
import pprint
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from traitlets import default

from .. import HubUnavailable
from ..activity.app import Activity
from ..activity.domain.calendar import epoch_seconds
from ..activity.synthetic import write_synthetic_history
from .apps import scope_options
from .hub import GROUP_MEMBERS

#: Members of a class in the demonstration, in addition to the documented users.
CLASSMATES = {
    "class-a": "alba amos anna bela boris carla chen cleo dana dario ella emil fadi farid gia gus",
    "class-b": "hana hugo ida igor iris ivo jana joel kaya kofi lea leon lina luca maja malik",
    "research": "mina nico nora omar otto pia quinn rosa ravi sara theo uma vera yuki zoe",
}


class DemoActivity(Activity):
    """Activity with a synthetic history that ends when it starts."""

    is_synthetic = True

    @default("database_url")
    def _database_url(self) -> str:
        """A file, also where the environment names a database: that is not for a demonstration."""
        return "sqlite:///activity.sqlite"

    @default("terms")
    def _terms(self) -> list[dict[str, str]]:
        """Those of the synthetic history: between its holidays."""
        terms = []
        for year in self._years():
            summer = {"first": f"{year}-04-01", "last": f"{year}-07-15"}
            winter = {"first": f"{year}-10-01", "last": f"{year + 1}-03-20"}
            terms += [
                {"name": f"Summer term {year}", **summer},
                {"name": f"Winter term {year}", **winter},
            ]
        return terms

    @default("notes")
    def _notes(self) -> list[dict[str, str]]:
        return [
            {"text": "Winter break", "first": f"{year}-12-20", "last": f"{year + 1}-01-06"}
            for year in self._years()
        ]

    def _years(self) -> range:
        year = datetime.now(self.zone).year
        return range(year - 2, year + 1)

    async def prepare_database(self) -> None:
        if await asyncio.to_thread(Path("activity.sqlite").exists):
            return  # the service has restarted
        created = await self._creation_times()
        arguments = self.database_url, groups_by_user(), int(time.time()), created
        await asyncio.to_thread(write_synthetic_history, *arguments)

    async def _creation_times(self) -> dict[str, int | None]:
        while True:
            try:
                return {user.name: epoch_seconds(user.created) async for user in self.hub.users()}
            except HubUnavailable:
                await asyncio.sleep(1)


def groups_by_user() -> dict[str, list[str]]:
    """The groups of every user with a history."""
    groups: dict[str, list[str]] = {"ada": [], "ines": []}
    for group in dict.fromkeys([*GROUP_MEMBERS, *CLASSMATES]):
        for name in [*GROUP_MEMBERS.get(group, ()), *CLASSMATES.get(group, "").split()]:
            groups.setdefault(name, []).append(group)
    return groups


def hub_options() -> dict[str, Any]:
    """The arguments of a `ThrowAwayHub` whose service runs Activity."""
    groups = {group: names.split() for group, names in CLASSMATES.items()}
    return {
        "service_command": [
            *(sys.executable, "-m", "tornado_service"),
            f"--TornadoService.apps={__name__}:{DemoActivity.__name__}",
            f"--{DemoActivity.__name__}.interval=30",
        ],
        **scope_options(DemoActivity.service_scopes, DemoActivity.user_scopes),
        "extra_config": f"for group, users in {pprint.pformat(groups)}.items():\n"
        "    known = c.JupyterHub.load_groups.setdefault(group, {'users': []})\n"
        "    known['users'] = [*known['users'], *users]\n"
        "    c.Authenticator.allowed_users.update(users)\n",
    }
