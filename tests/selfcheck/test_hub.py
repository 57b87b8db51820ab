"""Problems between the service and the Hub API."""

from dataclasses import replace

import pytest

from tests.selfcheck.conftest import SERVICE
from tests.support.selfcheck import by_name, dropping, refusing, silent
from tornado_service.selfcheck import CheckedSetup
from tornado_service.selfcheck.hub import (
    check_base_url,
    check_hub,
    check_service_scopes,
    check_token_length,
    check_version,
)
from tornado_service.testing import SERVICE_TOKEN

ALIASES = (
    'hub.extraPodSpec.hostAliases: [{ip: "127.0.0.1", hostnames: [hub]},'
    ' {ip: "::1", hostnames: [hub]}]'
)


async def test_a_healthy_hub(hub, setup: CheckedSetup) -> None:
    findings = await check_hub(replace(setup, required_scopes=frozenset({"list:users"})))

    assert [finding for finding in findings if finding.state != "ok"] == []
    assert by_name(findings)["hub-version"].value == hub.version


@pytest.mark.parametrize("trouble", [refusing, dropping, silent])
async def test_a_hub_out_of_reach_of_its_own_pod(setup: CheckedSetup, trouble, impatient) -> None:
    with trouble() as port:
        setup = replace(setup, api_url=f"http://hub:{port}/x/hub/api", hub_prefix="/x/hub/")
        found = by_name(await check_hub(setup))

    wrong = found.pop("hub-api")
    assert wrong.state == "wrong"
    assert ALIASES in wrong.key
    assert (
        "hub.services.tornado-service.environment.JUPYTERHUB_API_URL:"
        " http://localhost:8081/x/hub/api" in wrong.key
    )
    if trouble is dropping:
        assert 'hub.labels: {hub.jupyter.org/network-access-hub: "true"}' in wrong.key
    assert {found[name].state for name in ("hub-version", "token", "scopes")} == {"unknown"}


async def test_a_hub_on_one_of_the_two_loopbacks(hub, setup: CheckedSetup, names) -> None:
    """As on an IPv6-only cluster whose hub's bind URL is IPv6."""
    names["hub"] = ["::1", "127.0.0.1"]  # the stand-in listens on the second alone

    found = by_name(await check_hub(replace(setup, api_url=f"http://hub:{hub.port}/hub/api")))

    assert found["hub-api"].state == "ok"


async def test_no_alias_is_recommended_that_is_there(setup: CheckedSetup, names) -> None:
    names["hub"] = ["127.0.0.1", "::1"]
    with refusing() as port:
        aliased = await check_hub(replace(setup, api_url=f"http://hub:{port}/hub/api"))
    names["localhost"] = []  # independent of other programs on this machine
    local = await check_hub(replace(setup, api_url="http://localhost:8081/hub/api"))

    for found in map(by_name, (aliased, local)):
        assert found["hub-api"].state == "wrong"
        assert "hub.config.JupyterHub.hub_bind_url: http://:8081" in found["hub-api"].key
        assert "hostAliases" not in str(found["hub-api"])
        assert "JUPYTERHUB_API_URL" not in str(found["hub-api"])


async def test_a_forgotten_base_url(setup: CheckedSetup) -> None:
    right = setup.api_url.replace("/hub/api", "/base/hub/api")
    setup = replace(setup, api_url=right.replace("/base", "/bass"), hub_prefix="/base/hub/")

    found = by_name(await check_hub(setup))["hub-api"]

    assert found.state == "wrong"
    assert "is not a Hub API (status 404)" in found.message
    assert found.key.endswith(f"JUPYTERHUB_API_URL: {right}")


@pytest.mark.parametrize("fault", ["error", "garbage", "redirect", "half", "huge", "cut"])
async def test_a_program_that_is_not_a_hub_raises_no_exception(
    hub, setup: CheckedSetup, fault
) -> None:
    hub.fault = fault

    assert (await check_hub(setup))[0].state == "wrong"


async def test_a_token_that_the_hub_rejects(hub, setup: CheckedSetup) -> None:
    hub.users.clear()

    found = by_name(await check_hub(setup))

    assert found["token"].state == "wrong"
    assert "refuses the service's token" in found["token"].message
    assert "JUPYTERHUB_API_TOKEN" in found["token"].key
    scopes = found["scopes"]
    assert (scopes.state, scopes.message) == (
        "unknown",
        "The Hub API has to accept the token first.",
    )


@pytest.mark.parametrize(
    ("change", "owner"),
    [({"kind": "user"}, "user tornado-service"), ({"name": "another"}, "service another")],
)
async def test_a_token_of_another_service(hub, setup: CheckedSetup, change, owner: str) -> None:
    hub.users[SERVICE_TOKEN] = {**SERVICE, **change}

    found = by_name(await check_hub(setup))["token"]

    assert found.state == "wrong"
    assert found.message.endswith(f"but to the {owner}.")
    assert "JUPYTERHUB_SERVICE_NAME" not in found.key


def test_missing_scopes_come_with_the_role_that_grants_them(setup: CheckedSetup) -> None:
    setup = replace(setup, required_scopes=frozenset({"list:users", "read:servers"}))

    found = check_service_scopes(setup, ["list:users", "read:servers!group=a"])

    assert (found.state, "lacks scopes that it needs: read:servers." in found.message) == (
        "wrong",
        True,
    )
    role = '{"scopes": ["list:users", "read:servers"], "services": ["tornado-service"]}'
    assert f"hub.loadRoles.tornado-service: {role}" in found.key
    assert 'c.JupyterHub.load_roles.append({"name": "tornado-service", ' in found.key


@pytest.mark.parametrize(
    ("length", "version", "state"),
    [
        (7, "6.1.1", "wrong"),
        (8, "6.1.1", "ok"),
        (64, "6.1.1", "ok"),
        (64, "5.5.3", "wrong"),
        (64, "6.1.0", "wrong"),
        (63, "6.1.0", "ok"),
        (128, "5.5.0", "wrong"),
    ],
)
def test_the_length_of_the_token(setup, length: int, version: str, state: str) -> None:
    found = check_token_length(replace(setup, token="x" * length), version)

    assert found.state == state
    if state == "wrong":
        assert "hub.services.tornado-service.apiToken" in found.key


def test_a_library_of_another_version() -> None:
    assert check_version("6.1.1", "6.0.2").state == "ok"
    found = check_version("5.5.0", "6.1.1")
    assert (found.state, found.key.partition(" ")[0]) == ("wrong", "jupyterhub==5.5.0")


class TestExternal:
    """A service that something else than the hub has started."""

    @pytest.fixture
    def external(self, setup: CheckedSetup) -> CheckedSetup:
        return replace(setup, is_external=True, in_pod=False)

    @pytest.mark.parametrize("trouble", [refusing, dropping])
    async def test_a_hub_out_of_reach(self, external: CheckedSetup, trouble, impatient) -> None:
        with trouble() as port:
            url = f"http://hub:{port}/x/hub/api"
            external = replace(external, api_url=url, hub_prefix="/x/hub/")
            machine = by_name(await check_hub(external))["hub-api"]
            pod = by_name(await check_hub(replace(external, in_pod=True)))["hub-api"]

        assert machine.state == pod.state == "wrong"
        assert "JUPYTERHUB_API_URL=http://HOST:8081/x/hub/api" in machine.key
        assert "JUPYTERHUB_API_URL=http://hub:8081/x/hub/api" in pod.key
        assert "in the service's chart: hub.service, hub.namespace" in pod.key
        assert "chart" not in machine.key
        assert ("hub_bind_url" in machine.key) == (trouble is refusing)
        assert ("hub.jupyter.org/network-access-hub" in pod.key) == (trouble is dropping)
        for found in (machine, pod):
            assert "hostAliases" not in str(found)
            assert "hub.labels" not in str(found)
            assert "hub's pod itself" not in found.message

    async def test_a_token_that_the_hub_refuses(self, hub, external: CheckedSetup) -> None:
        hub.users.clear()

        found = by_name(await check_hub(external))["token"]

        assert "its token for the service was changed" in found.message
        assert found.key.startswith("in JUPYTERHUB_API_TOKEN the token that the hub has")

    async def test_a_service_that_was_renamed_at_the_hub(self, hub, external) -> None:
        hub.users[SERVICE_TOKEN] = {**SERVICE, "name": "new"}
        found = by_name(await check_hub(external))["token"]
        pod = by_name(await check_hub(replace(external, in_pod=True)))["token"]

        assert found.message.endswith("tornado-service, but to the service new.")
        assert found.key.startswith("JUPYTERHUB_SERVICE_NAME=new, if that is this service; or in ")
        assert "JUPYTERHUB_SERVICE_NAME=new (in the service's chart: name), if" in pod.key

    def test_the_length_of_the_token(self, external: CheckedSetup) -> None:
        found = check_token_length(replace(external, token="x" * 80), "6.1.1")

        assert found.key.startswith(
            "a shorter token (openssl rand -hex 16), in JUPYTERHUB_API_TOKEN"
        )

    async def test_the_base_url_is_confirmed_by_the_hub(self, hub, external: CheckedSetup) -> None:
        right = await check_base_url(external)
        hub.base_url = "/jupyter/"  # a proxy between them removes it from paths
        wrong = await check_base_url(external)

        assert [finding.state for finding in (*right, *wrong)] == ["ok", "wrong"]
        assert wrong[0].key == "JUPYTERHUB_BASE_URL=/jupyter/"
        assert await check_base_url(replace(external, is_external=False)) == []

    async def test_a_base_url_that_is_not_confirmed(self, hub, external: CheckedSetup) -> None:
        for fault in ("error", "redirect", "cut"):
            hub.fault = fault

            assert await check_base_url(external) == []

    async def test_a_prefix_that_the_hub_does_not_use(self, external: CheckedSetup) -> None:
        (found,) = await check_base_url(replace(external, prefix="/services/other/"))

        assert found.state == "wrong"
        assert found.key == "JUPYTERHUB_SERVICE_PREFIX=/services/tornado-service/, or none"
