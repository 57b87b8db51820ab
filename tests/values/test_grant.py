from collections.abc import Callable
from typing import Any

import jupyterhub
import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from traitlets.config import Config

from tests.support.values import SCOPE
from tornado_service.values.deployment import Deployment
from tornado_service.values.overlays import overlay_values


def grant(site: Callable[[Any], None], *, times: int = 1) -> Config:
    """The chart's lists, a site's configuration, and then ours."""
    c = Config()
    c.JupyterHub.load_roles = [{"name": "jupyterhub-idle-culler", "scopes": ["list:users"]}]
    site(c)
    code = overlay_values(Deployment(), "service.yaml")["hub"]["extraConfig"][
        "~tornado-service-access"
    ]
    for _ in range(times):
        exec(code, {"c": c})
    return c


async def scopes_of(c: Config, role: str = "user") -> list[str]:
    """The roles that the hub loads."""
    c.JupyterHub.db_url = "sqlite://"
    hub = JupyterHub(config=c)
    hub.init_db()
    hub.authenticator = hub.authenticator_class(parent=hub)
    await hub.init_role_creation()
    scopes = list(orm.Role.find(hub.db, role).scopes)
    hub.db.close()
    hub.db.get_bind().dispose()
    return sorted(scopes)


def nothing(c: Any) -> None:
    pass


def defines_user(c: Any) -> None:
    c.JupyterHub.load_roles.append({"name": "user", "scopes": ["self", "list:groups"]})


def describes_user(c: Any) -> None:
    c.JupyterHub.load_roles.append({"name": "user", "description": "people"})


def replaces_all(c: Any) -> None:
    c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "list:groups", SCOPE]}]


def adds_scopes(c: Any) -> None:
    c.JupyterHub.extra_user_scopes.update({"list:groups"})


def sets_scopes(c: Any) -> None:
    c.JupyterHub.extra_user_scopes = ["list:groups", SCOPE]


IS_6 = jupyterhub.version_info[0] >= 6
only_6 = pytest.mark.skipif(not IS_6, reason="for JupyterHub 6: make test-6.1")


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("site", "expected"),
    [
        (nothing, {"self", SCOPE}),
        (defines_user, {"self", "list:groups", SCOPE}),
        (describes_user, {"self", SCOPE}),
        (replaces_all, {"self", "list:groups", SCOPE}),
        pytest.param(adds_scopes, {"self", "list:groups", SCOPE}, marks=only_6),
        pytest.param(sets_scopes, {"self", "list:groups", SCOPE}, marks=only_6),
    ],
)
async def test_everyone_keeps_what_they_had(
    site: Callable[[Any], None], expected: set[str], times: int
) -> None:
    assert await scopes_of(grant(site, times=times)) == sorted(expected)


@pytest.mark.parametrize("site", [nothing, pytest.param(sets_scopes, marks=only_6)])
async def test_a_role_of_its_own_admits_only_some(site: Callable[[Any], None]) -> None:
    def groups(c: Any) -> None:
        site(c)
        role = {"name": "tornado-service-access", "scopes": [SCOPE], "groups": ["staff"]}
        c.JupyterHub.load_roles.append(role)

    assert SCOPE not in await scopes_of(grant(groups))
    assert await scopes_of(grant(groups), "tornado-service-access") == [SCOPE]


def test_ours_runs_after_all_other_code() -> None:
    keys = ["zzz", "~", "Ä"[:0] + "z~", "99-roles", "tornado-service"]
    ours = next(iter(overlay_values(Deployment(), "service.yaml")["hub"]["extraConfig"]))
    assert max([*keys, ours]) == ours
