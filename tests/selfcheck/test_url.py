"""Whether the service's URL leads to it."""

from dataclasses import replace

import pytest

from tests.support.selfcheck import by_name, dropping, refusing, silent
from tornado_service.selfcheck import CheckedSetup, run_checks
from tornado_service.selfcheck.url import check_listening_address, check_proxy_path, check_url
from tornado_service.testing import StandInHub, StartService


async def test_it_leads_here(here: CheckedSetup) -> None:
    assert (await check_url(here)).state == "ok"
    assert (await check_url(replace(here, instance=""))).state == "ok"


async def test_the_port_is_missing(setup: CheckedSetup) -> None:
    with refusing() as port:
        found = await check_url(replace(setup, service_url=f"http://hub:{port}"))

    assert "connection refused" in found.message
    assert "yet" in found.message
    assert (
        f"hub.service.extraPorts: [{{name: tornado-service, port: {port}, targetPort: 8181}}]"
        in found.key
    )


async def test_a_policy_drops_it(setup: CheckedSetup, impatient) -> None:
    with dropping() as port:
        found = await check_url(replace(setup, service_url=f"http://hub:{port}"))

    assert "network policy" in found.message
    assert "hub.networkPolicy.ingress" in found.key
    assert "app.kubernetes.io/component: hub" in found.key
    assert "hub.networkPolicy.allowedIngressPorts: [8181]" in found.key
    assert "hub.service.extraPorts" in found.key


@pytest.mark.parametrize("trouble", [refusing, dropping])
async def test_no_alias_is_recommended_that_is_there(
    setup: CheckedSetup, names, trouble, impatient
) -> None:
    with trouble() as port:
        setup = replace(setup, service_url=f"http://hub:{port}")
        one = await check_url(setup)
        names["hub"] = ["127.0.0.1", "::1"]
        both = await check_url(setup)

    assert "hub.extraPodSpec.hostAliases" in one.key
    assert "::1" in one.key
    assert "hostAliases" not in str(both)
    assert "hub.service.extraPorts" in both.key


async def test_the_name_is_not_that_of_the_hubs_service(setup: CheckedSetup) -> None:
    found = await check_url(replace(setup, service_url="http://release-hub:8181"))

    assert "release-hub does not resolve" in found.message
    assert "hub.services.tornado-service.url" in found.key


async def test_another_program_is_there(hub: StandInHub, setup: CheckedSetup) -> None:
    found = await check_url(replace(setup, service_url=f"http://hub:{hub.port}"))

    assert (found.state, "is not ours" in found.message) == ("wrong", True)


async def test_an_orphan_is_there(here: CheckedSetup) -> None:
    found = await check_url(replace(here, instance="another"))

    assert (found.state, "left by an earlier hub" in found.message) == ("wrong", True)


class TestExternal:
    """A service that something else than the hub has started, maybe with replicas."""

    async def test_another_replica_is_right(
        self, external: CheckedSetup, start_service: StartService
    ) -> None:
        other = await start_service()
        external = replace(external, service_url=f"http://hub:{other.port}")

        right = await check_url(external)
        updated = await check_url(replace(external, version="0.0.1"))

        assert (right.state, "another replica of the service." in right.message) == ("ok", True)
        assert (updated.state, "which runs version" in updated.message) == ("unknown", True)

    async def test_another_service_is_wrong(self, external: CheckedSetup, hub: StandInHub) -> None:
        another = await check_url(replace(external, name="reports", instance="another"))
        no_service = await check_url(replace(external, service_url=f"http://hub:{hub.port}"))

        assert (another.state, "is another service." in another.message) == ("wrong", True)
        assert (no_service.state, "is not ours." in no_service.message) == ("wrong", True)
        key = "another port in the service's url at the hub and JUPYTERHUB_SERVICE_URL"
        assert another.key.startswith(key)

    @pytest.mark.parametrize("trouble", [refusing, dropping])
    async def test_a_pod_may_not_reach_its_own_url(
        self, external: CheckedSetup, trouble, impatient
    ) -> None:
        with trouble() as port:
            setup = replace(external, service_url=f"http://hub:{port}")
            machine, pod = await check_url(setup), await check_url(replace(setup, in_pod=True))

        assert machine.state == ("wrong" if trouble is refusing else "unknown")
        assert "JUPYTERHUB_SERVICE_URL: http://hub:" in machine.key
        assert pod.state == "unknown"
        assert "hub.services.tornado-service.url: http://SERVICE:PORT" in pod.key
        for found in (machine, pod):
            assert "hostAliases" not in str(found)
            assert "extraPorts" not in str(found)

    async def test_without_a_url_it_is_not_checked(self, external: CheckedSetup) -> None:
        findings = by_name(await run_checks(replace(external, service_url="")))

        assert "url" not in findings
        assert findings["listening"].state == "ok"

    def test_another_port_is_wrong_on_a_machine(self, external: CheckedSetup) -> None:
        external = replace(external, service_url="http://hub:8181", port=8282)

        machine = check_listening_address(external, url_reaches_service=False)
        pod = check_listening_address(replace(external, in_pod=True), url_reaches_service=False)

        assert (machine.state, pod.state) == ("wrong", "unknown")
        assert machine.key.startswith("--port=8181, or port 8282 in the service's url at the hub")
        behind_a_proxy = replace(external, ip="127.0.0.1")
        assert check_listening_address(behind_a_proxy, url_reaches_service=True).state == "ok"

    async def test_the_proxys_path_to_a_pod(self, external: CheckedSetup) -> None:
        (found,) = await check_proxy_path(replace(external, in_pod=True))

        assert found.state == "unknown"
        assert "tornado-service values --external" in found.key
        assert await check_proxy_path(external) == []


@pytest.mark.parametrize("trouble", [refusing, silent])
async def test_on_one_machine_the_url_is_what_to_set(
    setup: CheckedSetup, trouble, impatient
) -> None:
    with trouble() as port:
        found = await check_url(replace(setup, service_url=f"http://127.0.0.1:{port}"))

    assert found.key == "the service's url in jupyterhub_config.py: http://127.0.0.1:8181"


async def test_loopback_is_the_proxys_own_in_the_chart(here: CheckedSetup) -> None:
    setup = replace(here, service_url=f"http://127.0.0.1:{here.port}")

    assert (await check_url(setup)).state == "ok"
    found = await check_url(replace(setup, in_chart=True))
    assert (found.state, "http://hub:" in found.key) == ("wrong", True)


def test_another_port_is_wrong_unless_it_leads_here(setup: CheckedSetup) -> None:
    setup = replace(setup, port=8282)

    assert check_listening_address(setup, url_reaches_service=True).state == "ok"
    found = check_listening_address(setup, url_reaches_service=False)
    assert (found.state, "targetPort: 8282" in found.key) == ("wrong", True)


def test_loopback_is_out_of_the_proxys_reach(setup: CheckedSetup) -> None:
    assert (
        check_listening_address(replace(setup, ip="127.0.0.1"), url_reaches_service=True).state
        == "wrong"
    )


async def test_a_host_alias_does_not_hide_that_the_port_is_missing(
    here: CheckedSetup, names
) -> None:
    """In the pod the name is the pod; the proxy uses the Service, which is elsewhere."""
    names["hub.lab.svc"] = "127.0.0.3"  # reaches only programs on all interfaces
    here = replace(here, namespace="lab")

    found = by_name(await check_proxy_path(here))
    names["hub.lab.svc"] = "127.0.0.1"
    well = by_name(await check_proxy_path(here))

    assert (await check_url(here)).state == "ok"
    assert (found["service-port"].state, well["service-port"].state) == ("wrong", "ok")
    assert "hub.service.extraPorts" in found["service-port"].key
    assert "proxy.chp.networkPolicy.egress" in found["proxy"].key
    assert await check_proxy_path(replace(here, namespace="")) == []
