"""Values for a service in pods of its own: what is written, and what the check finds."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.values import check, load, stop
from tornado_service.values import ValuesApp
from tornado_service.values.merge import Values
from tornado_service.values.site import ValuesFinding

MODES = ("ingress", "allowed-ingress-ports")
PODS = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "tornado-service"}}}
IN_TOOLS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tools"}}}


def rendered(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    assert stop(ValuesApp, ["--external", *argv]) == 0
    return yaml.safe_load(capsys.readouterr().out)


def check_with(text: str, version: str = "5.5") -> list[ValuesFinding]:
    """Our file, and after it a site's own."""
    return check([*load("external.yaml"), ("config.yaml", yaml.safe_load(text))], version)


def test_the_file_is_what_the_command_writes(capsys: pytest.CaptureFixture[str]) -> None:
    ((_, file),) = load("external.yaml")

    assert rendered(capsys) == file


@pytest.mark.parametrize("mode", MODES)
def test_the_hub_launches_nothing_and_its_pod_stays_as_it_is(
    capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    hub = rendered(capsys, f"--mode={mode}")["hub"]
    entry = hub["services"]["tornado-service"]

    assert entry["url"] == "http://tornado-service:8181"
    assert not {"command", "environment"} & set(entry)
    assert set(hub) == {"services", "networkPolicy", "extraConfig", "loadRoles"}


def test_each_mode_opens_the_hub_api(capsys: pytest.CaptureFixture[str]) -> None:
    closed, opened = (rendered(capsys, f"--mode={mode}") for mode in MODES)
    egress = [{"to": [PODS], "ports": [{"port": 8181}]}]

    assert closed["hub"]["networkPolicy"] == {
        "egress": egress,
        "ingress": [{"ports": [{"port": 8081}], "from": [PODS]}],
    }
    assert opened["hub"]["networkPolicy"] == {"egress": egress, "allowedIngressPorts": [8081]}
    for values in (closed, opened):
        assert values["proxy"]["chp"]["networkPolicy"]["egress"] == egress


def test_pods_in_another_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    values = rendered(capsys, "--namespace=tools", "--port=9000")
    policy = values["hub"]["networkPolicy"]

    assert values["hub"]["services"]["tornado-service"]["url"] == (
        "http://tornado-service.tools.svc:9000"
    )
    assert policy["ingress"][0]["from"] == [{**PODS, **IN_TOOLS}]
    assert policy["egress"] == [{"to": [{**PODS, **IN_TOOLS}], "ports": [{"port": 9000}]}]
    assert check([("x.yaml", values)]) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("namespace", ["", "tools"])
@pytest.mark.parametrize(("hub", "version"), [("5", "5.5"), ("6", "6.1.1")])
@pytest.mark.parametrize("group", [[], ["--group=staff"]])
def test_the_check_has_no_finding(
    capsys: pytest.CaptureFixture[str],
    mode: str,
    namespace: str,
    hub: str,
    version: str,
    group: list[str],
) -> None:
    options = [f"--mode={mode}", f"--namespace={namespace}", f"--jupyterhub={hub}", *group]
    values = rendered(capsys, "--name=usage", *options)

    assert "timeout" not in values["hub"]["services"]["usage"]
    assert check([("x.yaml", values)], version) == []


def test_the_lists_of_a_site_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.yaml"
    own = {"ports": [{"port": 5432}]}
    config.write_text(
        yaml.safe_dump(
            {
                "hub": {"networkPolicy": {"egress": [own], "ingress": [own]}},
                "proxy": {"chp": {"networkPolicy": {"egress": [own]}}},
            }
        )
    )
    values = rendered(capsys, f"--site={config}")
    policy = values["hub"]["networkPolicy"]

    assert policy["egress"][1:] == policy["ingress"][1:] == [own]
    assert values["proxy"]["chp"]["networkPolicy"]["egress"][1:] == [own]


def test_a_parent_chart(capsys: pytest.CaptureFixture[str]) -> None:
    values = rendered(capsys, "--parent=jupyterhub")

    assert list(values) == ["jupyterhub"]
    assert check([("x.yaml", values)]) == []


@pytest.mark.parametrize("argv", [["--namespace=Tools"], ["--namespace=a.b"], ["--name=hub"]])
def test_a_wrong_option(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert stop(ValuesApp, ["--external", *argv]) == 2
    assert argv[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    "site",
    [
        "{}",
        "hub: {baseUrl: /lab/}",
        "hub: {networkPolicy: {ingress: []}}",
        "hub: {networkPolicy: {ingress: [], egressAllowRules: {privateIPs: false}}}",
        "proxy: {chp: {networkPolicy: {egressAllowRules: {privateIPs: false}}}}",
        "proxy: {chp: {networkPolicy: {enabled: false}}}",
        "proxy: {chp: {networkPolicy: {egress: [{ports: [{port: 8181}]}]}}}",
        "hub: {networkPolicy: {enabled: false}}",
        # the hub's own namespace, in full
        "hub: {services: {tornado-service: {url: 'http://tornado-service.lab.svc:8181'}}}",
        # a machine outside of the cluster
        "hub: {services: {tornado-service: {url: 'http://192.0.2.7:8181'}}}",
        "hub: {readinessProbe: {initialDelaySeconds: 60}}",
    ],
)
def test_a_site_that_is_right(site: str) -> None:
    assert check_with(site) == []


@pytest.mark.parametrize(
    ("site", "key", "says"),
    [
        (
            "proxy: {chp: {networkPolicy: {egress: []}}}",
            "proxy.chp.networkPolicy.egress",
            "is lost",
        ),
        (
            "proxy: {chp: {networkPolicy: {egress: [{ports: [{port: 9000}]}]}}}",
            "proxy.chp.networkPolicy.egress",
            "no rule lets the proxy out to port 8181 of the pods of tornado-service: on Cilium",
        ),
        (
            "proxy: {chp: {networkPolicy: {egressAllowRules: {privateIPs: false}, egress:"
            " [{to: [{podSelector: {matchLabels: {app.kubernetes.io/component: hub}}}]}]}}}",
            "proxy.chp.networkPolicy.egress",
            "since its egressAllowRules.privateIPs is off, users of it time out",
        ),
        (
            "hub: {networkPolicy: {egress: [], egressAllowRules: {privateIPs: false}}}",
            "hub.networkPolicy.egress",
            "each start of the hub waits for a timeout",
        ),
        (
            "hub: {services: {tornado-service: {environment: {A: b}}}}",
            "hub.services.tornado-service.environment",
            "nothing reads it",
        ),
        (
            "hub: {services: {tornado-service: {oauth_redirect_uri: 'https://x/'}}}",
            "hub.services.tornado-service.oauth_redirect_uri",
            "Mismatching redirect URI",
        ),
        (
            "hub: {services: {tornado-service: {timeout: 9}}}",
            "hub.services.tornado-service.timeout",
            "only JupyterHub 6 knows it",
        ),
        (
            "hub: {services: {tornado-service: {url: 'http://127.0.0.1:8181'}}}",
            "hub.services.tornado-service.url",
            "is the proxy's own pod",
        ),
        (
            "hub: {services: {tornado-service: {url: 'http://hub:8181'}}}",
            "hub.services.tornado-service.command",
            "takes the service for one that runs elsewhere",
        ),
        (  # what is left of a service that the hub launched
            "hub: {services: {tornado-service: {command: [python3, -m, tornado_service]}}}",
            "hub.services.tornado-service.url",
            "or no command, for a service in pods of its own",
        ),
        (
            "hub: {extraConfig: {'~tornado-service-access': ''}}",
            "hub.services.tornado-service",
            "only admins can open it",
        ),
        (
            "hub: {services: {tornado-service: {apiToken: short}}}",
            "hub.services.tornado-service.apiToken",
            "too few",
        ),
    ],
)
def test_a_mistake_is_found(site: str, key: str, says: str) -> None:
    found = [finding for finding in check_with(site) if finding.key == key]

    assert says in " ".join(map(str, found))


@pytest.mark.parametrize(
    ("policy", "is_open"),
    [
        ("{ingress: []}", False),
        ("{ingress: [], allowedIngressPorts: [8081]}", True),
        ("{ingress: [], interNamespaceAccessLabels: accept}", True),
        ("{enabled: false}", True),
    ],
)
def test_the_hub_api_for_pods_in_another_namespace(
    capsys: pytest.CaptureFixture[str], policy: str, is_open: bool
) -> None:
    values = rendered(capsys, "--namespace=tools")
    site = yaml.safe_load(f"hub: {{networkPolicy: {policy}}}")
    found = check([("ours.yaml", values), ("config.yaml", site)])
    advice = [finding.fix for finding in found if "every sign-in fails" in finding.consequence]

    assert bool(advice) is not is_open
    for fix in advice:  # it can be pasted
        assert yaml.safe_load(fix) == values["hub"]["networkPolicy"]["ingress"][0]


def test_what_is_left_over_of_a_service_in_the_hubs_pod() -> None:
    managed = dict(load("service.yaml", "ingress.yaml", "allowed-ingress-ports.yaml"))
    old = Values(managed.items()).tree["hub"]
    kept = {key: old[key] for key in ("service", "extraPodSpec", "networkPolicy")}
    left = [("config.yaml", {"hub": kept}), *load("external.yaml")]

    found = {finding.key for finding in check(left) if "left over" in finding.consequence}
    assert found == {
        "hub.service.extraPorts",
        "hub.extraPodSpec.hostAliases",
        "hub.networkPolicy.allowedIngressPorts",
    }
    rule = {"ports": [{"port": 8181}], "from": [{"podSelector": {}}]}
    again = {"hub": {"networkPolicy": {"ingress": [rule]}}}
    found = {finding.key for finding in check([*left, ("again.yaml", again)])}
    assert "hub.networkPolicy.ingress" in found
    # another service is launched there
    other = {"hub": {"services": {"other": {"url": "http://hub:8181", "command": ["x"]}}}}
    assert not any(
        "left over" in finding.consequence for finding in check([*left, ("other.yaml", other)])
    )


@pytest.mark.parametrize("junk", [None, 1, True, "x", [], [None], ["x"], {}, {"a": None}])
def test_junk_never_breaks_the_check(junk: Any) -> None:
    ((_, whole),) = load("external.yaml")
    for *keys, last in places(whole):
        tree = copy.deepcopy(whole)
        inner: Any = tree
        for key in keys:
            inner = inner[key]
        inner[last] = junk
        check([("config.yaml", tree)], "6.1.1")
        check([*load("external.yaml"), ("config.yaml", tree)])


def places(values: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every key and list entry, at all depths."""
    entries = values.items() if isinstance(values, dict) else ()
    if isinstance(values, list):
        entries = enumerate(values)
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


def test_a_service_of_somebody_else_is_none_of_ours() -> None:
    other = {"hub": {"services": {"other": {"url": "http://other:80"}}}}

    assert check([*load("external.yaml"), ("config.yaml", other)]) == []


def test_a_managed_and_an_external_service(capsys: pytest.CaptureFixture[str]) -> None:
    values = rendered(capsys, "--name=usage", "--app=")
    managed = load("service.yaml", "ingress.yaml", "image.yaml")
    found = check([*managed, ("usage.yaml", values)])

    assert {finding.key for finding in found} == {
        "hub.networkPolicy.egress",
        "hub.networkPolicy.ingress",
        "proxy.chp.networkPolicy.egress",
    }  # lists that replace each other
