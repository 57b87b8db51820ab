import pytest

from tests.support.values import INGRESS, check, load
from tornado_service.values.chart import chart_data
from tornado_service.values.chart.json_schema import Violation, violations
from tornado_service.values.site import ValuesFinding
from tornado_service.values.yaml_files import loader


def found_in(text: str, version: str = "5.5") -> dict[str, ValuesFinding]:
    """The findings of the schema's for a site's values after ours, by key."""
    site = [("site.yaml", document) for document in loader.load(text)]
    findings = check([*load(*INGRESS), *site], version)
    return {finding.key: finding for finding in findings if finding.consequence.startswith("Helm ")}


@pytest.mark.parametrize(
    ("text", "key", "write"),
    [
        ("hub:", "hub", "{}, or take the key out."),
        ("hub:\n  config:", "hub.config", "{}, or take the key out."),
        ("hub: {config: {JupyterHub: ~}}", "hub.config.JupyterHub", "{}, or take the key out."),
        ("hub: {service: {annotations: }}", "hub.service.annotations", "{}, or take the key out."),
        ("hub: {tolerations: }", "hub.tolerations", "[], or take the key out."),
        ("cull: {enabled: }", "cull.enabled", "a value, or take the key out."),
        ("singleuser: {image: {pullSecrets: }}", "singleuser.image.pullSecrets", "[], or take"),
        ("hub: {lifecycle: {preStop: }}", "hub.lifecycle.preStop", "a map, or take the key out."),
    ],
)
def test_an_empty_key_that_the_chart_needs(text: str, key: str, write: str) -> None:
    findings = found_in(text)
    assert list(findings) == [key]
    assert findings[key].consequence.startswith(("Helm fails: an empty key", "Helm refuses null: "))
    assert findings[key].fix.startswith(write)


@pytest.mark.parametrize(
    "text",
    [
        "hub: {extraEnv: , labels: {a: b}, nodeSelector: }",
        "hub: {config: {}, db: {}}",
        "singleuser: {storage: {dynamic: }}",
        "scheduling: {userScheduler: {enabled: false, image: }}",
        "proxy: {traefik: {image: }}",
        "imagePullSecret: {create: true}",
        "proxy: {https: {enabled: true, type: secret, letsencrypt: {contactEmail: }}}",
    ],
)
def test_an_empty_key_that_the_chart_does_not_need(text: str) -> None:
    assert found_in(text) == {}


def test_a_part_that_is_turned_on_needs_its_keys() -> None:
    text = "proxy: {https: {enabled: true, hosts: [a.b]}, traefik: {image: }}"
    assert list(found_in(text)) == ["proxy.traefik.image"]


def test_an_empty_key_below_a_parent_chart() -> None:
    values = {"jupyterhub": {"hub": {"config": None, "pdb": {"enabled": False}}}}
    keys = [finding.key for finding in check([("x", values)])]
    assert "jupyterhub.hub.config" in keys


@pytest.mark.parametrize(
    ("text", "key", "what", "write"),
    [
        ("hub: {servces: {}}", "hub.servces", "has no such key", "services?"),
        ("hub: {zzz: 1}", "hub.zzz", "chart 4.4.0 has no such key", "nothing: take the key out."),
        ("jupyterhb: {a: 1}", "jupyterhb", "has no such key", "nothing: take the key out."),
        ("hub: {config: {lower: {}}}", "hub.config.lower", "has no such key", "nothing"),
        ("hub: []", "hub", "Helm refuses a list: this is a map.", "a map."),
        ("hub: {loadRoles: [a]}", "hub.loadRoles", "Helm refuses a list", "a map."),
        ("hub: {baseUrl: 0x1F}", "hub.baseUrl", "refuses a number: this is text", 'quotes: "0x1F"'),
        ("cull: {enabled: 'yes'}", "cull.enabled", "text: this is true or false", "true or false."),
        ("hub: {image: {pullPolicy: x}}", "hub.image.pullPolicy", "Helm refuses x.", "Always"),
        ("hub: {revisionHistoryLimit: -1}", "hub.revisionHistoryLimit", "refuses -1.", "negative"),
        ("hub: {db: {pvc: {accessModes: [1]}}}", "hub.db.pvc.accessModes.0", "a number", '"1"'),
        ("hub: !list x", "hub", "Helm refuses text: this is a map.", "a map."),
    ],
)
def test_what_the_schema_refuses(text: str, key: str, what: str, write: str) -> None:
    finding = found_in(text)[key]
    assert what in finding.consequence
    assert write in finding.fix


def test_a_newer_chart_may_have_more_keys() -> None:
    assert found_in("hub: {newer: 1}", "6.1.1") == {}
    assert list(found_in("hub: {baseUrl: 1}", "6.1.1")) == ["hub.baseUrl"]


def test_the_defaults_hold_to_the_schema() -> None:
    assert list(violations(chart_data.SCHEMA, chart_data.with_defaults({}))) == []


def test_a_condition_of_the_schema() -> None:
    schema = {"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}}
    assert list(violations(schema, {"a": 2})) == []
    assert list(violations(schema, {"a": 1})) == [Violation(("b",), "required")]
