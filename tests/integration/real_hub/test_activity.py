"""Activity in a hub that is configured as documented, for users with different permissions."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.support import ROOT
from tests.support.activity.pages import text_of
from tests.support.real_hub import POLL_EACH_SECOND, service_pids
from tornado_service.demo.activity import groups_by_user, hub_options
from tornado_service.demo.processes import free_ports
from tornado_service.testing import Browse, RealHub, StartHub, Visitor

#: The hub's data about a user is cached for a second.
SHORT_CACHE = """
c.JupyterHub.services[-1]["command"].append("--ServiceAuth.cache_max_age=1")
"""

#: Activity samples the hub every 2 s.
FREQUENT = f"""
command = c.JupyterHub.services[-1]["command"]
command[command.index("--TornadoService.apps=activity")] = (
    "--TornadoService.apps=tests.support.frequent_activity:FrequentActivity")
c.JupyterHub.services[-1]["environment"] = {{"PYTHONPATH": "{ROOT}"}}
"""

#: Instead of the throw-away hub's own role for instructors.
INSTRUCTORS = """
c.JupyterHub.load_roles[:] = [
    role for role in c.JupyterHub.load_roles if role["name"] != "instructor"]
c.JupyterHub.load_groups["class-a-instructors"] = {"users": ["ines"]}
"""


def documented(page: str) -> list[str]:
    """The blocks of jupyterhub_config.py in a page of the documentation."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return [block for block in blocks if "c.JupyterHub" in block]


def on_a_free_port(lines: str) -> str:
    assert lines.count("127.0.0.1:8181") == 1
    return lines.replace("127.0.0.1:8181", f"127.0.0.1:{free_ports(1)[0]}")


def test_the_readme_and_the_guide_agree() -> None:
    assert documented("README.md")[0] == documented("docs/how-to/install.md")[0]


@pytest.fixture
def hub(start_hub: StartHub, request: pytest.FixtureRequest) -> RealHub:
    """Configured as the guides say; its parameter is more configuration."""
    (service,) = documented("docs/how-to/install.md")
    (instructor,) = documented("docs/how-to/access.md")
    config = INSTRUCTORS + on_a_free_port(service) + instructor + SHORT_CACHE
    return start_hub(with_service=False, extra_config=config + getattr(request, "param", ""))


Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def sign_in(hub: RealHub, browse: Browse) -> Callable[[str], Awaitable[Visitor]]:
    return lambda name: signed_in(hub, browse, name)


async def signed_in(hub: RealHub, browse: Browse, name: str) -> Visitor:
    """The browser of a user, with Activity's page open."""
    visitor = browse(hub)
    await until(lambda: visitor.get("health"), lambda response: response.code == 200, hub)
    await visitor.sign_in("", name)
    await until(lambda: visitor.open("activity/"), lambda response: response.code == 200, hub)
    return visitor


async def until(ask: Ask, is_well: Callable[[Any], bool], hub: RealHub) -> Any:
    """Repeat a request until its response meets the condition."""
    deadline = time.monotonic() + 120
    while not is_well(response := await ask()):
        assert time.monotonic() < deadline, (response, hub.log)
        time.sleep(0.2)
    return response


async def api(visitor: Visitor, path: str) -> Any:
    """A response of Activity's API; empty while it is not available."""
    response = await visitor.fetch(f"activity/api/{path}")
    return json.loads(response.body) if response.code < 500 else {}


async def running(visitor: Visitor) -> set[str]:
    return {server["user"] for server in (await api(visitor, "now")).get("servers", ())}


async def people(visitor: Visitor) -> set[str]:
    return {person["name"] for person in (await api(visitor, "people")).get("people", ())}


async def groups(visitor: Visitor) -> set[str]:
    return {group["name"] for group in (await api(visitor, "groups")).get("groups", ())}


async def profiles(visitor: Visitor) -> set[str | None]:
    usage = (await api(visitor, "usage-by/profile")).get("whole", {}).get("usage")
    return {row["name"] for row in usage or ()}


async def observed_seconds(visitor: Visitor) -> int:
    return (await api(visitor, "idle")).get("whole", {}).get("observed_seconds") or 0


@pytest.mark.parametrize("hub", [FREQUENT], indirect=True, ids=[""])
async def test_profiles_and_idle_time_come_from_the_hubs_server_model(
    hub: RealHub, sign_in: Callable[[str], Awaitable[Visitor]]
) -> None:
    """With the documented scopes of the service; options are as KubeSpawner stores them."""
    admin, instructor = [await sign_in(name) for name in ("ada", "ines")]
    hub.ask("POST", "users/sam/server", {"profile": "gpu", "token": "secret"})
    hub.ask("POST", "users/kim/server")

    await until(lambda: profiles(admin), lambda names: names == {"gpu", ""}, hub)
    assert await profiles(instructor) == {"gpu"}
    await until(lambda: observed_seconds(admin), lambda seconds: seconds > 0, hub)
    assert (await api(admin, "idle"))["whole"]["idle_seconds"] == 0
    files = hub.directory.glob("activity.sqlite*")
    assert not any(b"secret" in file.read_bytes() for file in files)


async def roster(visitor: Visitor, group: str) -> dict[str, bool]:
    """The members of a group, and whether they were never active."""
    response = await api(visitor, f"groups/{group}/roster")
    return {row["name"]: row["never_active"] for row in response.get("members", ())}


@pytest.mark.parametrize("hub", [FREQUENT], indirect=True, ids=[""])
async def test_each_user_sees_what_the_hub_permits(
    hub: RealHub, sign_in: Callable[[str], Awaitable[Visitor]]
) -> None:
    admin, instructor, student = [await sign_in(name) for name in ("ada", "ines", "sam")]
    for name in ("sam", "kim"):
        hub.ask("POST", f"users/{name}/server")

    await until(lambda: running(admin), lambda users: users == {"sam", "kim"}, hub)
    assert await running(instructor) == {"sam"}
    assert await running(student) == {"sam"}
    assert await people(admin) >= {"ada", "ines", "sam", "kim"}
    assert await people(instructor) == {"sam"}
    assert await people(student) == {"sam"}
    assert await groups(admin) >= {"class-a", "class-b", "class-a-instructors"}
    assert await groups(instructor) == {"class-a"}
    assert await groups(student) == set()
    assert (await api(admin, "people/kim"))["name"] == "kim"
    for visitor in (instructor, student):
        assert await api(visitor, "people/kim") == await api(visitor, "people/nobody")
        await visitor.open("activity/")
        assert "kim" not in visitor.page

    # a member who has never signed in is in the roster, and no group shows who is hidden
    hub.ask("POST", "users/zoe")
    hub.ask("POST", "groups/class-a/users", {"users": ["zoe", "kim"]})
    hub.ask("POST", "groups/class-b/users", {"users": ["sam"]})
    await until(lambda: roster(instructor, "class-a"), lambda rows: rows.get("zoe"), hub)
    rows = await roster(instructor, "class-a")
    assert rows == await roster(admin, "class-a") == {"sam": False, "zoe": True, "kim": False}
    filtered = await api(admin, "summary?group=class-a")
    assert (
        filtered["people"]["accounts"] == (await api(instructor, "summary"))["people"]["accounts"]
    )
    hub.ask("DELETE", "groups/class-a/users", {"users": ["kim"]})
    await until(lambda: roster(instructor, "class-a"), lambda rows: "kim" not in rows, hub)
    assert set(await roster(admin, "class-b")) == {"kim", "sam"}
    for visitor in (instructor, student):
        for path in ("groups/class-b/roster", "summary?group=class-b"):
            hidden = await visitor.fetch(f"activity/api/{path}")
            unknown = await visitor.fetch(f"activity/api/{path.replace('class-b', 'class-x')}")
            assert hidden.code == unknown.code == 404
            assert hidden.body == unknown.body

    # a revoked permission has effect when the cached identity expires
    hub.ask("DELETE", "groups/class-a-instructors/users", {"users": ["ines"]})
    await until(lambda: people(instructor), lambda users: users == {"ines"}, hub)
    assert await running(instructor) == set()
    assert await groups(instructor) == set()


async def test_on_a_hub_with_many_groups_each_gets_the_reports_of_those_they_may_see(
    hub: RealHub, sign_in: Callable[[str], Awaitable[Visitor]]
) -> None:
    """The hub counts groups before it filters them, and logs a warning for each refusal."""
    for number in range(25):
        hub.ask("POST", f"groups/group-{number}")
    admin, instructor, student = [await sign_in(name) for name in ("ada", "ines", "sam")]
    await until(lambda: api(admin, "summary"), lambda summary: summary.get("as_of"), hub)
    month = f"month/{datetime.now(timezone.utc):%Y-%m}"

    for path in ("groups", "api/groups", "api/groups.csv", month, f"api/{month}"):
        response = await instructor.fetch(f"activity/{path}")
        assert response.code == 200, (path, hub.log)
        assert b"group-1" not in response.body
        if path != month:  # it has no data before the second sample
            assert b"class-a" in response.body
    assert len((await api(admin, "groups"))["groups"]) > 25

    before = len(hub.log)
    for path in ("", "now", "people", "groups", "me", "months", month):
        assert (await student.open(f"activity/{path}")).code == 200
    assert (await api(student, "groups"))["missing"] == "list:groups"
    since = hub.log[before:]
    assert "Not authorizing access" not in since
    assert "403" not in since


@pytest.mark.parametrize("hub", [FREQUENT + POLL_EACH_SECOND], indirect=True, ids=[""])
async def test_the_history_outlives_the_service(
    hub: RealHub, sign_in: Callable[[str], Awaitable[Visitor]]
) -> None:
    admin = await sign_in("ada")
    before = await until(lambda: api(admin, "summary"), lambda summary: summary.get("as_of"), hub)
    (first,) = service_pids(hub.directory)

    os.kill(first, signal.SIGKILL)
    hub.ask("POST", "users/sam/server")
    await until(lambda: running(admin), lambda users: users == {"sam"}, hub)
    after = await until(
        lambda: api(admin, "summary"),
        lambda summary: (summary.get("as_of") or "") > before["as_of"],
        hub,
    )

    assert service_pids(hub.directory) != [first]
    assert (hub.directory / "activity.sqlite").exists()
    assert after["watched_from"] == before["watched_from"]


async def test_the_demonstration_has_a_year_of_usage_labelled_as_demo_data(
    start_hub: StartHub, browse: Browse
) -> None:
    hub = start_hub(**hub_options())
    admin = await signed_in(hub, browse, "ada")

    year = f"?from={datetime.now(timezone.utc).date() - timedelta(days=364)}"
    accounts = len(groups_by_user().keys() | {"guest"})
    # guest is not in the synthetic history: the first sample of the hub brings the account
    summary = await until(
        lambda: api(admin, "summary" + year),
        lambda summary: summary.get("as_of") and summary["people"]["accounts"] == accounts,
        hub,
    )
    began = datetime.fromisoformat(summary["watched_from"].replace("Z", "+00:00"))
    assert datetime.now(timezone.utc) - began > timedelta(days=360)
    assert summary["whole"]["active_users"] > 40
    assert summary["whole"]["server_seconds"] > 1000 * 3600
    assert summary["people"]["new"] < accounts / 2
    assert len(summary["quietest"]) == summary["maintenance_window"]["hours"] > 0
    assert await groups(admin) >= {"class-a", "class-b", "research"}
    all_users = {person["name"] for person in (await api(admin, "people?page=2"))["people"]}
    assert all_users | await people(admin) >= groups_by_user().keys() - {"guest"}
    student = await signed_in(hub, browse, "sam")
    for visitor, reported in ((admin, "Active users"), (student, "Usage by sam")):
        await visitor.open("activity/")
        text = text_of(visitor.page)
        assert "Demo data" in text
        assert reported in text
        assert "Coming soon" not in text
